// Outputs that a model may have, and the order of their values.
#include "helpers.h"
#include "outputs.h"

namespace tinynet {
namespace {

std::string refused(Task task, const std::vector<TensorInfo>& outputs, int batch = 0) {
  return error_of<UserError>([&] { check_outputs("m", task, outputs, batch); });
}

TEST(Outputs, ClassesAreTheSecondLengthOfAClassifier) {
  const auto classes = [](const TensorInfo& output, int batch) {
    return check_outputs("m", Task::kClassification, {output, {"int8", {7}}}, batch).at(0).shape;
  };
  EXPECT_EQ(classes({"float32", {-1, 10}}, 0), std::vector<int>{10});
  EXPECT_EQ(classes({"float16", {4, 1}}, 4), std::vector<int>{1});
}

TEST(Outputs, OthersOfAClassifierAreRefused) {
  const auto error = [](const TensorInfo& output, int batch) {
    return refused(Task::kClassification, {output}, batch);
  };
  expect_part(error({"float32", {3, 10}}, 4), "its output [3, 10] of float32 is not float32 or float16 [4, classes]");
  expect_part(error({"float32", {3, -1}}, 0), "is not float32 or float16 [batch, classes]");
  expect_part(error({"float32", {3, 6, 4}}, 0), "is not float32 or float16 [batch, classes]");
  expect_part(error({"int8", {3, 10}}, 0), "[3, 10] of int8 is not");
  expect_part(error({"float32", {10}}, 0), "[10] of float32 is not");
  EXPECT_EQ(refused(Task::kClassification, {}), "m has no output");
}

TEST(Outputs, ADetectorHasBoxesAndScores) {
  const std::vector<Output> outputs =
      check_outputs("m", Task::kDetection, {{"float32", {-1, 6, 4}}, {"float16", {-1, 6, 3}}}, 0);
  EXPECT_EQ(outputs[0].shape, (std::vector<int>{6, 4}));
  EXPECT_EQ(outputs[1].shape, (std::vector<int>{6, 3}));
  EXPECT_EQ(values_per_image(outputs), 42u);
  EXPECT_EQ(outputs[0].bytes(), 96u);
  EXPECT_EQ(outputs[1].bytes(), 36u);
}

TEST(Outputs, OthersOfADetectorAreRefused) {
  const TensorInfo boxes{"float32", {-1, 6, 4}}, scores{"float32", {-1, 6, 3}};
  const auto error = [](const std::vector<TensorInfo>& outputs) { return refused(Task::kDetection, outputs); };
  expect_part(error({boxes}), "m has one output; a detector has two, boxes and scores");
  expect_part(error({{"float32", {-1, 10}}}), "m has one output");
  expect_part(error({scores, boxes}), "its first output [-1, 6, 3] of float32 is not float32 or float16");
  expect_part(error({{"float32", {-1, -1, 4}}, scores}), "[batch, anchors, 4]");
  for (const TensorInfo& other : std::vector<TensorInfo>{
           {"float32", {-1, 5, 3}}, {"float32", {-1, 6, 1}}, {"float32", {-1, 6}}, {"int32", {-1, 6, 3}}}) {
    expect_part(error({boxes, other}),
                "its second output " + other.text() + " is not float32 or float16 [batch, 6, classes + 1]");
  }
}

TEST(Outputs, TheValuesOfAnImageLieTogether) {
  const std::vector<Output> outputs{{{1, 2}, false}, {{1, 3}, true}};
  const std::vector<float> boxes{1, 2, 3, 4, 5, 6};  // of three images, two of which count
  const std::vector<std::uint16_t> scores{0x3c00, 0x4000, 0x3800, 0, 0xbc00, 0x3c00, 0x7c00, 0x7c00, 0x7c00};
  std::vector<float> values(11, -7);
  gather(outputs, {boxes.data(), scores.data()}, 2, values.data());
  EXPECT_EQ(values, (std::vector<float>{1, 2, 1, 2, 0.5, 3, 4, 0, -1, 1, -7}));
}

}  // namespace
}  // namespace tinynet
