#include "helpers.h"

#include <png.h>
#include <stdlib.h>

#include <cstdio>
#include <fstream>
#include <iterator>
// clang-format off: jpeglib.h needs cstdio
#include <jpeglib.h>
// clang-format on

namespace tinynet {

namespace fs = std::filesystem;

Folder::Folder() {
  std::string name = (fs::temp_directory_path() / "tinynet-XXXXXX").string();
  path = mkdtemp(name.data());
}

Folder::~Folder() { fs::remove_all(path); }

fs::path Folder::write(const fs::path& name, const std::string& text) const {
  return write(name, Bytes(text.begin(), text.end()));
}

fs::path Folder::write(const fs::path& name, const Bytes& bytes) const {
  fs::create_directories((path / name).parent_path());
  std::ofstream(path / name, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return path / name;
}

std::string text_of_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Bytes png(int width, int height, int color_type, int depth, const Bytes& values, const Bytes& palette) {
  Bytes file;
  png_structp writer = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(writer);
  const auto append = [](png_structp png, png_bytep bytes, std::size_t count) {
    auto* target = static_cast<Bytes*>(png_get_io_ptr(png));
    target->insert(target->end(), bytes, bytes + count);
  };
  png_set_write_fn(writer, &file, append, [](png_structp) {});
  png_set_IHDR(writer, info, width, height, depth, color_type, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  if (!palette.empty()) {
    png_set_PLTE(writer, info, reinterpret_cast<png_const_colorp>(palette.data()),
                 static_cast<int>(palette.size() / 3));
  }
  png_write_info(writer, info);
  const std::size_t row = values.size() / height;
  for (int y = 0; y < height; ++y) png_write_row(writer, values.data() + row * y);
  png_write_end(writer, nullptr);
  png_destroy_write_struct(&writer, &info);
  return file;
}

Bytes jpeg(int width, int height, int components, const Bytes& values) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &memory, &size);
  info.image_width = width;
  info.image_height = height;
  info.input_components = components;
  info.in_color_space = components == 1 ? JCS_GRAYSCALE : components == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 100, TRUE);
  jpeg_start_compress(&info, TRUE);
  for (int y = 0; y < height; ++y) {
    auto* row = const_cast<JSAMPROW>(values.data() + std::size_t{1} * y * width * components);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  Bytes file(memory, memory + size);
  free(memory);
  return file;
}

Image picture(int width, int height) {
  Image image;
  image.resize(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) {
        image.row(y)[4 * x + c] = static_cast<std::uint8_t>(x * 37 + y * 59 + c * 101 + x * y * 13);
      }
    }
  }
  return image;
}

Bytes rgb(const Image& image) {
  Bytes bytes;
  for (std::size_t i = 0; i < image.pixels.size(); i += 4) {
    bytes.insert(bytes.end(), &image.pixels[i], &image.pixels[i] + 3);
  }
  return bytes;
}

Description description(int size, int short_side, int classes) {
  Description it;
  it.model = "tinynet_e";
  it.size = size;
  it.short_side = short_side;
  it.mean = {0.485, 0.456, 0.406};
  it.std = {0.229, 0.224, 0.225};
  it.num_classes = classes;
  return it;
}

Description detector(int size, int anchors, int classes) {
  Description it = description(size, 0, classes);
  it.task = Task::kDetection;
  it.anchors = anchors;
  it.rule = {0.01, 300, 0.55, 100};
  return it;
}

}  // namespace tinynet
