// Inputs and batch sizes that a model may have.
#include "helpers.h"
#include "input_spec.h"

namespace tinynet {
namespace {

std::string refused_input(const TensorInfo& input, bool has_aipp = false) {
  return error_of<UserError>([&] { image_input("m", input, has_aipp); });
}

TEST(InputSpec, FloatPlanesAreAnInput) {
  const InputSpec spec = image_input("m", {"float32", {-1, 3, 8, 8}}, false);
  EXPECT_EQ(spec.type, ElementType::kFloat32);
  EXPECT_EQ(spec.size, 8);
  EXPECT_EQ(spec.bytes_per_image(), 768u);
}

TEST(InputSpec, BytePixelsAreAnInput) {
  const InputSpec spec = image_input("m", {"uint8", {4, 8, 8, 3}}, false);
  EXPECT_EQ(spec.type, ElementType::kUInt8);
  EXPECT_EQ(spec.size, 8);
  EXPECT_EQ(spec.bytes_per_image(), 192u);
}

TEST(InputSpec, BytePlanesNeedAipp) {
  const TensorInfo planes{"uint8", {1, 3, 8, 8}};
  EXPECT_EQ(image_input("m", planes, true).type, ElementType::kUInt8);
  expect_part(refused_input(planes), "m: its input [1, 3, 8, 8] of uint8 is neither float32");
}

TEST(InputSpec, OtherInputsAreRefused) {
  for (const TensorInfo& input : std::vector<TensorInfo>{{"float32", {1, 8, 8, 3}},
                                                         {"float32", {1, 3, 8, 9}},
                                                         {"float32", {1, 1, 8, 8}},
                                                         {"float32", {1, 3, -1, -1}},
                                                         {"float32", {8}},
                                                         {"float16", {1, 3, 8, 8}},
                                                         {"type 7", {1, 3, 8, 8}},
                                                         {"uint8", {1, 0, 0, 3}}}) {
    expect_part(refused_input(input, true), " is neither float32 [batch, 3, size, size] nor uint8");
  }
}

TEST(InputSpec, AFixedBatchAllowsNoOther) {
  EXPECT_EQ(max_batch("m", 4, 0), 4);
  EXPECT_EQ(max_batch("m", 4, 4), 4);
  expect_part(error_of<UserError>([] { max_batch("m", 4, 8); }), "--batch_size is 8, m takes 4 images at once");
}

TEST(InputSpec, AnOpenBatchIsAsRequested) {
  EXPECT_EQ(max_batch("m", -1, 0), 1);
  EXPECT_EQ(max_batch("m", -1, 8), 8);
}

TEST(InputSpec, AModelIsAFile) {
  const Folder folder;
  require_model(folder.write("m", "x"));
  for (const auto& path : {folder / "none", folder.path}) {
    expect_part(error_of<UserError>([&] { require_model(path); }), "there is no model " + path.string());
  }
}

}  // namespace
}  // namespace tinynet
