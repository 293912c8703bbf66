// Resized images against those of Pillow: the numbers come from src/images/preprocess.py (crops) and
// src/detection/pipeline.py (whole images) for the same picture.
#include "helpers.h"
#include "resample.h"

namespace tinynet {
namespace {

Bytes cropped(int width, int height, int short_side, int size) {
  Image crop, scratch;
  resized_crop(picture(width, height), short_side, size, crop, scratch);
  return rgb(crop);
}

TEST(Resample, SmallerAsPillow) {
  const Bytes wide = {70,  149, 104, 127, 184, 62,  131, 149, 142, 180, 70,  119, 138, 80,
                      190, 59,  129, 173, 184, 110, 130, 119, 206, 135, 151, 111, 159};
  EXPECT_EQ(cropped(7, 5, 4, 3), wide);
  const Bytes much_smaller = {128, 125, 138, 126, 129, 139, 130, 118, 127, 119, 125, 132, 121, 124, 130, 117,
                              123, 136, 123, 114, 130, 128, 118, 130, 126, 127, 120, 103, 120, 159, 118, 122,
                              137, 120, 133, 137, 133, 126, 131, 118, 124, 129, 121, 125, 128, 130, 123, 138};
  EXPECT_EQ(cropped(40, 31, 5, 4), much_smaller);
}

TEST(Resample, LargerAsPillow) {
  const Bytes tall = {175, 99,  121, 222, 36,  168, 205, 99,  137, 147, 162, 148, 73,  201, 197, 125, 183, 140,
                      216, 48,  162, 245, 106, 191, 117, 149, 63,  78,  204, 23,  148, 250, 89,  200, 144, 144,
                      190, 95,  124, 115, 146, 62,  109, 72,  56,  156, 63,  100, 233, 129, 170, 169, 150, 111,
                      134, 150, 129, 75,  198, 19,  157, 59,  100, 209, 24,  156, 208, 109, 155, 146, 137, 86,
                      75,  188, 175, 145, 241, 84,  230, 124, 167, 207, 107, 153, 94,  190, 40,  144, 103, 87,
                      122, 165, 124, 205, 123, 129, 155, 151, 93,  136, 141, 71,  155, 89,  78,  120, 97,  167};
  EXPECT_EQ(cropped(5, 9, 8, 6), tall);
}

TEST(Resample, TheSameSizeIsOnlyCut) {
  const Bytes cut = {0,   101, 202, 37,  138, 239, 74, 175, 20, 111, 212, 57,  148, 249, 94,  59, 160, 5,   109,
                     210, 55,  159, 4,   105, 209, 54, 155, 3,  104, 205, 118, 219, 64,  181, 26, 127, 244, 89,
                     190, 51,  152, 253, 114, 215, 60, 177, 22, 123, 253, 98,  199, 73,  174, 19, 149, 250, 95,
                     225, 70,  171, 236, 81,  182, 69, 170, 15, 158, 3,   104, 247, 92,  193, 80, 181, 26};
  EXPECT_EQ(cropped(6, 6, 6, 5), cut);
  EXPECT_EQ(cropped(6, 6, 6, 6), rgb(picture(6, 6)));
}

Bytes whole(int width, int height, int size) {
  Image result, scratch;
  stretched(picture(width, height), size, result, scratch);
  return rgb(result);
}

TEST(Resample, WholeImagesAsPillow) {
  const Bytes wide = {36,  134, 165, 99,  148, 83,  127, 171, 119, 172, 90,  148, 113, 156, 59,  169,
                      74,  145, 87,  125, 170, 131, 130, 148, 182, 90,  128, 150, 144, 126, 143, 146,
                      149, 141, 133, 151, 172, 102, 118, 156, 91,  102, 151, 126, 110, 81,  97,  155};
  EXPECT_EQ(whole(7, 5, 4), wide);
  const Bytes much_smaller = {127, 123, 129, 120, 124, 137, 124, 117, 132, 133, 129, 122, 121, 125,
                              134, 122, 121, 133, 130, 128, 125, 141, 119, 132, 127, 120, 130};
  EXPECT_EQ(whole(31, 40, 3), much_smaller);
  const Bytes larger = {0,   101, 202, 15,  116, 217, 37,  138, 239, 59,  160, 108, 74,  175, 20,  6,   107, 182, 21,
                        122, 198, 44,  145, 221, 67,  153, 106, 82,  158, 28,  30,  131, 104, 47,  148, 121, 73,  174,
                        147, 99,  123, 97,  117, 90,  63,  53,  154, 25,  73,  174, 44,  102, 203, 73,  131, 93,  87,
                        151, 21,  97,  59,  160, 5,   79,  180, 25,  109, 210, 55,  139, 86,  85,  159, 4,   105};
  EXPECT_EQ(whole(3, 2, 5), larger);
  EXPECT_EQ(whole(6, 6, 6), rgb(picture(6, 6)));
}

TEST(Resample, ColumnsOfTallImagesComeFirstAsInPillow13) {
  const Bytes tall = {81,  143, 98,  132, 115, 119, 142, 118, 124, 103, 161, 139, 157, 111, 138, 159,
                      116, 105, 157, 130, 126, 147, 134, 116, 126, 113, 129, 137, 118, 126, 135, 108,
                      123, 106, 93,  160, 113, 107, 139, 154, 91,  114, 141, 119, 101, 132, 137, 131};
  EXPECT_EQ(whole(5, 11, 4), tall);
  const Bytes one_column = {74,  143, 84,  74,  143, 84, 74,  143, 84, 151, 109, 154, 151, 109,
                            154, 151, 109, 154, 142, 83, 120, 142, 83, 120, 142, 83,  120};
  EXPECT_EQ(whole(1, 9, 3), one_column);
}

TEST(Resample, WeightsSumToOne) {
  for (const auto& [kernel, input, output] : {std::tuple{Kernel::kBicubic, 7, 4},
                                              {Kernel::kBicubic, 4, 7},
                                              {Kernel::kBicubic, 1000, 37},
                                              {Kernel::kBicubic, 5, 5},
                                              {Kernel::kBicubic, 1, 9},
                                              {Kernel::kBicubic, 3, 2},
                                              {Kernel::kBicubic, 37, 1000},
                                              {Kernel::kBilinear, 7, 4},
                                              {Kernel::kBilinear, 4, 7},
                                              {Kernel::kBilinear, 1000, 37},
                                              {Kernel::kBilinear, 5, 5},
                                              {Kernel::kBilinear, 1, 9},
                                              {Kernel::kBilinear, 3, 2}}) {
    const Filter filter(kernel, input, output, 0, output);
    ASSERT_EQ(filter.count(), output);
    for (int i = 0; i < output; ++i) {
      ASSERT_GE(filter.start(i), 0);
      ASSERT_GT(filter.taps(i), 0);
      ASSERT_LE(filter.start(i) + filter.taps(i), input);
      std::int64_t sum = 0;
      for (int t = 0; t < filter.taps(i); ++t) sum += filter.weights(i)[t];
      EXPECT_NEAR(static_cast<double>(sum), 1 << 22, filter.taps(i) / 2.0) << input << " to " << output << " at " << i;
    }
  }
}

TEST(Resample, APartOfAFilterIsThatPart) {
  const Filter whole(Kernel::kBicubic, 100, 40, 0, 40), part(Kernel::kBicubic, 100, 40, 12, 5);
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(part.start(i), whole.start(i + 12));
    ASSERT_EQ(part.taps(i), whole.taps(i + 12));
    for (int t = 0; t < part.taps(i); ++t) EXPECT_EQ(part.weights(i)[t], whole.weights(i + 12)[t]);
  }
}

TEST(Resample, AThinImageIsAnErrorOfThatImage) {
  Image thin, crop, scratch;
  thin.resize(2'000'000, 1);
  expect_part(error_of<ImageError>([&] { resized_crop(thin, 4096, 8, crop, scratch); }), "too long and thin");
}

TEST(Resample, AnImageOfOnePixelIsSpread) {
  Bytes all;
  for (int i = 0; i < 64; ++i) all.insert(all.end(), {0, 101, 202});
  EXPECT_EQ(cropped(1, 1, 9, 8), all);
}

}  // namespace
}  // namespace tinynet
