// Normalized planes and packed pixels.
#include <cstring>

#include "helpers.h"
#include "preprocess.h"

namespace tinynet {
namespace {

TEST(Preprocess, NormalizedAsPythonDoesInFloat32) {  // expected: bits of Preprocess.normalize
  const std::uint8_t bytes[] = {0, 1, 17, 128, 254, 255};
  const std::uint32_t expected[3][6] = {{0xc0078bbd, 0xc006732b, 0xbfe9d408, 0x3d97af22, 0x400ed58a, 0x400fee1d},
                                        {0xc0024924, 0xc0012a4e, 0xbfde79e7, 0x3e521b41, 0x401a4ee1, 0x401b6db6},
                                        {0xbfe6f809, 0xbfe4bcea, 0xbfc10aff, 0x3eda5d36, 0x4027d833, 0x4028f5c3}};
  Image image;
  image.resize(8, 8);
  for (int i = 0; i < 64; ++i) std::memset(&image.pixels[4 * i], bytes[i % 6], 4);
  std::vector<float> planes(3 * 64);
  Preprocessor preprocess(description(8, 8, 2), {ElementType::kFloat32, 8, 1});
  preprocess(image, reinterpret_cast<std::byte*>(planes.data()));
  for (int c = 0; c < 3; ++c) {
    for (int i = 0; i < 64; ++i) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, &planes[64 * c + i], sizeof bits);
      ASSERT_EQ(bits, expected[c][i % 6]) << "channel " << c << ", byte " << int{bytes[i % 6]};
    }
  }
}

TEST(Preprocess, PixelsArePackedForAModelThatNormalizes) {
  const Image image = picture(8, 8);
  const InputSpec input{ElementType::kUInt8, 8, 1};
  EXPECT_EQ(input.bytes_per_image(), 192u);
  Bytes packed(input.bytes_per_image() + 1, 77);
  Preprocessor preprocess(description(8, 8, 2), input);
  preprocess(image, reinterpret_cast<std::byte*>(packed.data()));
  EXPECT_EQ(packed.back(), 77);  // nothing is written after the image
  packed.pop_back();
  EXPECT_EQ(packed, rgb(image));
}

TEST(Preprocess, ADetectorSeesTheWholeImage) {
  Bytes packed(3 * 8 * 8);
  Preprocessor preprocess(detector(8, 2, 2), {ElementType::kUInt8, 8, 1});
  Image half;  // black on the left, white on the right
  half.resize(32, 16);
  for (std::size_t i = 0; i < half.pixels.size(); ++i) half.pixels[i] = i % 128 < 64 ? 0 : 255;
  preprocess(half, reinterpret_cast<std::byte*>(packed.data()));
  EXPECT_EQ(packed[0], 0);  // a center crop of 16 x 16 pixels would be the same at half the width
  EXPECT_EQ(packed[3 * 2], 0);
  EXPECT_EQ(packed[3 * 5], 255);
  EXPECT_EQ(packed.back(), 255);
}

TEST(Preprocess, OneAfterAnotherAsEachAlone) {
  const auto prepared = [](const std::vector<Image>& images) {
    Preprocessor preprocess(description(8, 9, 2), {ElementType::kUInt8, 8, 1});
    Bytes packed(192);
    for (const Image& image : images) preprocess(image, reinterpret_cast<std::byte*>(packed.data()));
    return packed;
  };
  const Image large = picture(40, 31), small = picture(5, 17);
  EXPECT_EQ(prepared({large, small}), prepared({small}));
  EXPECT_EQ(prepared({small, large}), prepared({large}));
}

}  // namespace
}  // namespace tinynet
