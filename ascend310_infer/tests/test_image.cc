// Decoding of all kinds of JPEG and PNG, whole, truncated, damaged and too large.
#include <png.h>
#include <sys/resource.h>
#include <zlib.h>

#include <cstring>

#include "helpers.h"

namespace tinynet {
namespace {

Bytes decoded(const Bytes& file) {
  Image image;
  decode(file, image);
  return rgb(image);
}

void expect_near(const Bytes& found, const Bytes& expected, int tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], tolerance) << "byte " << i;
}

TEST(Image, PngIsReadExactly) {
  const Bytes pixels = rgb(picture(7, 5));
  EXPECT_EQ(decoded(png(7, 5, PNG_COLOR_TYPE_RGB, 8, pixels)), pixels);
}

TEST(Image, JpegOfOneColorIsReadAsThatColor) {
  Bytes pixels;
  for (int i = 0; i < 64; ++i) pixels.insert(pixels.end(), {200, 100, 50});
  expect_near(decoded(jpeg(8, 8, 3, pixels)), pixels, 2);
}

TEST(Image, GrayHasThreeEqualChannels) {
  const Bytes expected = {0, 0, 0, 90, 90, 90, 255, 255, 255, 7, 7, 7};
  EXPECT_EQ(decoded(png(2, 2, PNG_COLOR_TYPE_GRAY, 8, {0, 90, 255, 7})), expected);
  EXPECT_EQ(decoded(png(2, 2, PNG_COLOR_TYPE_GRAY_ALPHA, 8, {0, 1, 90, 2, 255, 3, 7, 4})), expected);
  expect_near(decoded(jpeg(8, 8, 1, Bytes(64, 120))), Bytes(192, 120), 1);
}

TEST(Image, FewBitsOfGrayAreSpread) {
  EXPECT_EQ(decoded(png(2, 1, PNG_COLOR_TYPE_GRAY, 1, {0x40})), (Bytes{0, 0, 0, 255, 255, 255}));
  EXPECT_EQ(decoded(png(2, 1, PNG_COLOR_TYPE_GRAY, 4, {0x3f})), (Bytes{51, 51, 51, 255, 255, 255}));
}

TEST(Image, OfSixteenBitsTheUpperByteCounts) {
  EXPECT_EQ(decoded(png(2, 1, PNG_COLOR_TYPE_GRAY, 16, {7, 200, 255, 0})), (Bytes{7, 7, 7, 255, 255, 255}));
  EXPECT_EQ(decoded(png(1, 1, PNG_COLOR_TYPE_GRAY_ALPHA, 16, {9, 200, 1, 1})), (Bytes{9, 9, 9}));
  EXPECT_EQ(decoded(png(1, 1, PNG_COLOR_TYPE_RGB, 16, {1, 255, 2, 255, 3, 255})), (Bytes{1, 2, 3}));
}

TEST(Image, PaletteAndTransparency) {
  const Bytes palette = {10, 20, 30, 40, 50, 60};
  EXPECT_EQ(decoded(png(2, 1, PNG_COLOR_TYPE_PALETTE, 8, {1, 0}, palette)), (Bytes{40, 50, 60, 10, 20, 30}));
  EXPECT_EQ(decoded(png(2, 1, PNG_COLOR_TYPE_PALETTE, 1, {0x40}, palette)), (Bytes{10, 20, 30, 40, 50, 60}));
  EXPECT_EQ(decoded(png(1, 1, PNG_COLOR_TYPE_RGB_ALPHA, 8, {1, 2, 3, 0})), (Bytes{1, 2, 3}));
}

TEST(Image, CmykOfAdobeIsInverted) {
  Bytes inks, expected;
  for (int i = 0; i < 64; ++i) {
    inks.insert(inks.end(), {200, 100, 50, 220});
    for (const int light : {200, 100, 50}) expected.push_back(static_cast<std::uint8_t>(light * 220 / 255));
  }
  expect_near(decoded(jpeg(8, 8, 4, inks)), expected, 3);
}

TEST(Image, CutOffAtAnyByteIsAnError) {
  const Bytes pixels = rgb(picture(9, 7));
  for (const Bytes& whole : {jpeg(9, 7, 3, pixels), png(9, 7, PNG_COLOR_TYPE_RGB, 8, pixels)}) {
    EXPECT_EQ(decoded(whole).size(), pixels.size());
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
      ASSERT_FALSE(error_of<ImageError>([&] { decoded(part); }).empty()) << length << " of " << whole.size();
    }
  }
}

TEST(Image, ReasonsAreThoseOfThePythonPrograms) {  // src/images/decoding.py and src/images/png.py
  const Bytes pixels = rgb(picture(9, 7)), jpg = jpeg(9, 7, 3, pixels),
              whole = png(9, 7, PNG_COLOR_TYPE_RGB, 8, pixels);
  const auto reason = [](const Bytes& file) { return error_of<ImageError>([&] { decoded(file); }); };
  EXPECT_EQ(reason({jpg.begin(), jpg.end() - 2}), "damaged JPEG: the file ends before the image does");
  EXPECT_EQ(reason({whole.begin(), whole.end() - 13}), "damaged PNG: the file ends before the image does");
  Bytes changed = jpg;
  changed[3] = 0xc3;  // the first segment begins a frame, with a header of another kind
  EXPECT_EQ(reason(changed), "damaged JPEG: its header cannot be read");
  changed = whole;
  changed[30] ^= 1;  // in the checksum of IHDR
  EXPECT_EQ(reason(changed), "damaged PNG: wrong checksum of its chunk IHDR");
}

TEST(Image, NoDamagedByteDoesHarm) {
  const Bytes pixels = rgb(picture(9, 7));
  for (const Bytes& whole : {jpeg(9, 7, 3, pixels), png(9, 7, PNG_COLOR_TYPE_RGB, 8, pixels)}) {
    for (std::size_t i = 0; i < whole.size(); ++i) {
      for (const int flip : {0x01, 0x80, 0xff}) {
        Bytes damaged = whole;
        damaged[i] = static_cast<std::uint8_t>(damaged[i] ^ flip);
        try {
          decoded(damaged);
        } catch (const ImageError&) {  // an error is as correct as pixels
        }
      }
    }
  }
}

TEST(Image, MemoryOfALargerImageIsUsedAgain) {
  Image image;
  decode(png(9, 7, PNG_COLOR_TYPE_RGB, 8, rgb(picture(9, 7))), image);
  const Bytes small = rgb(picture(3, 2));
  decode(png(3, 2, PNG_COLOR_TYPE_RGB, 8, small), image);
  EXPECT_EQ(image.width, 3);
  EXPECT_EQ(image.height, 2);
  EXPECT_EQ(rgb(image), small);
}

TEST(Image, OtherFilesAreRefused) {
  expect_part(error_of<ImageError>([] { decoded({'G', 'I', 'F', '8'}); }), "neither a JPEG nor a PNG");
  Image image;
  expect_part(error_of<ImageError>([&] { image.resize(60000, 60000); }), "more than 178956970 pixels");
  EXPECT_FALSE(error_of<ImageError>([&] { image.resize(0, 5); }).empty());
}

TEST(Image, LongAndThinOnesAreRefused) {
  EXPECT_EQ(decoded(png(1, 100, PNG_COLOR_TYPE_GRAY, 8, Bytes(100, 9))).size(), 300U);
  const std::string reason = "pixels; a side may have 100 times the length of the other";
  expect_part(error_of<ImageError>([] { decoded(png(1, 101, PNG_COLOR_TYPE_GRAY, 8, Bytes(101, 9))); }), reason);
  expect_part(error_of<ImageError>([] { decoded(jpeg(808, 8, 1, Bytes(808 * 8, 9))); }), reason);
}

// Writes `number` at `place`, high byte first, as in PNG.
void put(Bytes& file, std::size_t place, std::uint32_t number) {
  for (int i = 0; i < 4; ++i) file[place + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
}

TEST(Image, ACommentMustBeUndamagedAndMayBeLong) {
  const Bytes pixels = rgb(picture(7, 5));
  Bytes whole = png(7, 5, PNG_COLOR_TYPE_RGB, 8, pixels);
  const std::size_t after_header = 33;
  Bytes comment(12 + 9'000'000, 'a');
  put(comment, 0, 9'000'000);
  std::memcpy(&comment[4], "tEXtkey\0", 8);
  put(comment, comment.size() - 4, static_cast<std::uint32_t>(crc32(0, &comment[4], comment.size() - 8)));
  whole.insert(whole.begin() + after_header, comment.begin(), comment.end());
  EXPECT_EQ(decoded(whole), pixels);
  whole[after_header + 100] ^= 1;
  expect_part(error_of<ImageError>([&] { decoded(whole); }), "damaged PNG: wrong checksum of its chunk tEXt");
}

TEST(Image, ATooLargePngIsRefusedBeforeItsRowsAreAllocated) {
  Bytes file = png(1, 1, PNG_COLOR_TYPE_RGB, 8, {1, 2, 3});
  const std::size_t header = 12, checksum = 29;  // offsets in the file
  put(file, header + 4, 0x7fffffff);
  put(file, header + 8, 0x7fffffff);
  put(file, checksum, static_cast<std::uint32_t>(crc32(0, &file[header], checksum - header)));
  expect_part(error_of<ImageError>([&] { decoded(file); }), "more than 178956970 pixels");
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  EXPECT_LT(usage.ru_maxrss, 2'000'000) << "KiB; one row has 6 GB";
}

TEST(Image, FilesAreReadWholeOrNamed) {
  const Folder folder;
  const Bytes large(700'000, 7);
  EXPECT_EQ(read_file(folder.write("large", large)), large);
  EXPECT_EQ(error_of<ImageError>([&] { read_file(folder.write("empty", "")); }), "empty file");
  expect_part(error_of<ImageError>([&] { read_file(folder / "none"); }), "No such file");
  expect_part(error_of<ImageError>([&] { read_file(folder.path); }), "Is a directory");
}

}  // namespace
}  // namespace tinynet
