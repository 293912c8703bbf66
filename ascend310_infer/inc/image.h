// Encoded images to pixels, as Pillow decodes them and converts them to RGB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace tinynet {

// Pixels of four bytes, red, green, blue and one that means nothing, row after row without gaps.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;  // 4 * width * height

  const std::uint8_t* row(int y) const { return pixels.data() + std::size_t{4} * width * y; }
  std::uint8_t* row(int y) { return pixels.data() + std::size_t{4} * width * y; }

  // Make room. Throws ImageError: no pixels, or more than 178 million (Pillow's limit).
  void resize(std::uint32_t new_width, std::uint32_t new_height);
};

// The bytes of a file. Throws ImageError: it cannot be read, or it is empty.
std::vector<std::uint8_t> read_file(const std::filesystem::path& path);

// Decode a JPEG or PNG, told apart by content, into `image` (its memory is used again).
// Throws ImageError: damaged, cut off, of another format, or too large.
void decode(const std::vector<std::uint8_t>& file, Image& image);

void decode_jpeg(const std::vector<std::uint8_t>& file, Image& image);
void decode_png(const std::vector<std::uint8_t>& file, Image& image);

}  // namespace tinynet
