// Decodes JPEG and PNG files to the pixels of src/images/decoding.py, which are Pillow's. The functions are thread
// safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace tinynet {

// Pixels of four bytes: red, green, blue and an unused one. Rows follow each other without gaps.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;  // 4 * width * height

  const std::uint8_t* row(int y) const { return pixels.data() + std::size_t{4} * width * y; }
  std::uint8_t* row(int y) { return pixels.data() + std::size_t{4} * width * y; }

  // Sets the size; the pixels are then undefined.
  // Throws ImageError if there are no pixels, or more than Pillow's limit of 178,956,970.
  void resize(std::uint32_t new_width, std::uint32_t new_height);
};

// Throws ImageError if one side has more than 100 times the length of the other, as src/images/decoding.py does.
void check_shape(std::uint32_t width, std::uint32_t height);

// Returns the bytes of a file. Throws ImageError if it is empty or cannot be read.
std::vector<std::uint8_t> read_file(const std::filesystem::path& path);

// Decodes a JPEG or PNG into `image`, whose memory is reused. The content decides the format, not the name.
// Throws ImageError if the file is damaged, truncated, too large or of another format.
void decode(const std::vector<std::uint8_t>& file, Image& image);

void decode_jpeg(const std::vector<std::uint8_t>& file, Image& image);
void decode_png(const std::vector<std::uint8_t>& file, Image& image);

}  // namespace tinynet
