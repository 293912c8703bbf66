#include "png_writer.h"

#include <png.h>

#include <cstring>
#include <new>
#include <vector>

namespace tinynet {

std::string encode_png(const Image& image) {
  std::vector<std::uint8_t> pixels(std::size_t{3} * image.width * image.height);
  for (std::size_t i = 0; i < pixels.size() / 3; ++i) std::memcpy(&pixels[3 * i], &image.pixels[4 * i], 3);
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = PNG_FORMAT_RGB;
  std::string file(PNG_IMAGE_PNG_SIZE_MAX(header), '\0');
  png_alloc_size_t size = file.size();
  if (!png_image_write_to_memory(&header, file.data(), &size, 0, pixels.data(), 0, nullptr)) throw std::bad_alloc();
  file.resize(size);
  return file;
}

}  // namespace tinynet
