#include "image.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "errors.h"

namespace tinynet {
namespace {

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
constexpr std::uint64_t kMostPixels = 1 << 20;  // a fuzzer tries more files if they are small
#else
constexpr std::uint64_t kMostPixels = 178'956'970;  // above this, Pillow warns of a decompression bomb
#endif
constexpr std::uint64_t kMostRatio = 100;
constexpr std::size_t kKeptBytes = std::size_t{64} << 20;  // larger memory is freed before the next image
constexpr std::uint8_t kPngSignature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
constexpr std::uint8_t kJpegSignature[] = {0xff, 0xd8, 0xff};

template <std::size_t size>
bool begins_with(const std::vector<std::uint8_t>& file, const std::uint8_t (&signature)[size]) {
  return file.size() >= size && std::memcmp(file.data(), signature, size) == 0;
}

}  // namespace

void Image::resize(std::uint32_t new_width, std::uint32_t new_height) {
  const std::uint64_t count = std::uint64_t{new_width} * new_height;
  if (count == 0) throw ImageError("no pixels");
  if (count > kMostPixels) {
    throw ImageError("more than " + std::to_string(kMostPixels) + " pixels");
  }
  const std::size_t bytes = std::size_t{4} * count;
  if (pixels.capacity() > kKeptBytes && bytes <= kKeptBytes) pixels = {};
  pixels.resize(bytes);
  width = static_cast<int>(new_width);
  height = static_cast<int>(new_height);
}

void check_shape(std::uint32_t width, std::uint32_t height) {
  if (std::max(width, height) > kMostRatio * std::min(width, height)) {
    throw ImageError(std::to_string(width) + " x " + std::to_string(height) + " pixels; a side may have " +
                     std::to_string(kMostRatio) + " times the length of the other");
  }
}

std::vector<std::uint8_t> read_file(const std::filesystem::path& path) {
  const auto failed = [] { return ImageError(std::string("cannot be read: ") + std::strerror(errno)); };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file) throw failed();
  std::vector<std::uint8_t> bytes;
  std::size_t size = 0;
  do {
    bytes.resize(size + (std::size_t{1} << 18));
    size += std::fread(bytes.data() + size, 1, bytes.size() - size, file.get());
    if (std::ferror(file.get())) throw failed();
  } while (size == bytes.size());
  bytes.resize(size);
  if (bytes.empty()) throw ImageError("empty file");
  return bytes;
}

void decode(const std::vector<std::uint8_t>& file, Image& image) {
  if (begins_with(file, kJpegSignature)) {
    decode_jpeg(file, image);
  } else if (begins_with(file, kPngSignature)) {
    decode_png(file, image);
  } else {
    throw ImageError("neither a JPEG nor a PNG");
  }
}

}  // namespace tinynet
