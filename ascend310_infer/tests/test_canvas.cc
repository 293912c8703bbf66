// Boxes and letters on images, pixel by pixel.
#include "canvas.h"
#include "font.h"
#include "helpers.h"

namespace tinynet {
namespace {

constexpr Color kRed{200, 0, 0};

Image black(int width, int height) {
  Image image;
  image.resize(width, height);
  std::fill(image.pixels.begin(), image.pixels.end(), std::uint8_t{0});
  return image;
}

// Returns the image with a letter for each pixel: R of the color, W white, and . for all others.
std::vector<std::string> letters(const Image& image) {
  std::vector<std::string> rows(image.height);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const std::uint8_t* pixel = image.row(y) + 4 * x;
      rows[y] += pixel[0] == 255 && pixel[1] == 255 ? 'W' : pixel[0] == kRed.red ? 'R' : '.';
    }
  }
  return rows;
}

TEST(Canvas, AFrameAndItsTextAboveIt) {
  Image image = black(14, 16);
  draw_box(image, {1.2f, 9, 11.7f, 15}, "1", kRed);
  EXPECT_EQ(letters(image), (std::vector<std::string>{
                                ".RRRRRRR......",
                                ".RRRWRRR......",
                                ".RRWWRRR......",
                                ".RRRWRRR......",
                                ".RRRWRRR......",
                                ".RRRWRRR......",
                                ".RRRWRRR......",
                                ".RRWWWRR......",
                                ".RRRRRRR......",
                                ".RRRRRRRRRRR..",
                                ".RRRRRRRRRRR..",
                                ".RR.......RR..",
                                ".RR.......RR..",
                                ".RRRRRRRRRRR..",
                                ".RRRRRRRRRRR..",
                                "..............",
                            }));
}

TEST(Canvas, WithoutRoomTheTextIsInside) {
  Image image = black(20, 14);
  draw_box(image, {0, 2, 20, 14}, "", kRed);
  EXPECT_EQ(letters(image)[1], "....................");
  EXPECT_EQ(letters(image)[4], "RR................RR");
  draw_box(image, {15, 2, 20, 14}, "-", kRed);
  EXPECT_EQ(letters(image)[2], "RRRRRRRRRRRRRRRRRRRR");
  EXPECT_EQ(letters(image)[6], "RR...........RWWWWWR");  // moved to the left
}

TEST(Canvas, NothingIsWrittenOutside) {  // AddressSanitizer watches
  for (const Box& box : {Box{-50, -50, 500, 500}, Box{0, 0, 0, 0}, Box{7, 7, 8, 8}, Box{3, 3, 1, 1}}) {
    Image image = black(8, 8);
    draw_box(image, box, "a long text", kRed);
    EXPECT_EQ(image.pixels.size(), 256u);
  }
}

TEST(Canvas, LargeImagesHaveLargeLetters) {
  Image image = black(1200, 100);
  draw_box(image, {0, 60, 1200, 100}, "|", kRed);
  EXPECT_EQ(letters(image)[50].substr(0, 24), "RRRRRRRRRWWWRRRRRRRRR...");
}

TEST(Font, EveryLetterDiffersFromAllOthers) {
  std::set<std::string> seen;
  for (char letter = kFirstLetter; letter <= kLastLetter; ++letter) {
    std::string pixels;
    for (int y = 0; y < kLetterHeight; ++y) {
      for (int x = 0; x < kLetterWidth; ++x) pixels += letter_pixel(letter, x, y) ? '#' : '.';
    }
    EXPECT_TRUE(seen.insert(pixels).second) << letter;
  }
}

}  // namespace
}  // namespace tinynet
