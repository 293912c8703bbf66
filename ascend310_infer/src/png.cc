// Decodes PNG with libpng and converts to RGB as src/images/decoding.py does: transparency is dropped, of 16 bits the
// upper byte counts, comments do not matter. But every chunk must be whole, also those that are not used.
#include <png.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "errors.h"
#include "image.h"

namespace tinynet {
namespace {

constexpr const char* kCutOff = "the file ends before the image does";

// The state of libpng. A step that fails returns false and leaves the reason in `error`.
// libpng leaves a failed step by longjmp, so a step must not hold objects with destructors.
class PngDecoder {
 public:
  explicit PngDecoder(const std::vector<std::uint8_t>& file) : rest_(file.data()), left_(file.size()) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, fail, [](png_structp, png_const_charp) {});
    info_ = png_ ? png_create_info_struct(png_) : nullptr;
    if (!info_) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw ImageError("not enough memory");
    }
  }
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;
  ~PngDecoder() { png_destroy_read_struct(&png_, &info_, nullptr); }

  bool read_header() {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_set_read_fn(png_, this, read);
    png_set_user_limits(png_, 0x7fffffff, 0x7fffffff);
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);  // all that do not change pixels
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    png_set_crc_action(png_, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);  // fuzzed files rarely have correct checksums
#else
    png_set_crc_action(png_, PNG_CRC_DEFAULT, PNG_CRC_ERROR_QUIT);
#endif
    png_read_info(png_, info_);
    width = png_get_image_width(png_, info_);
    height = png_get_image_height(png_, info_);
    return true;
  }

  // Allocates rows, so the caller checks the size before.
  bool set_format() {
    if (setjmp(png_jmpbuf(png_))) return false;
    color_type = png_get_color_type(png_, info_);
    if (color_type == PNG_COLOR_TYPE_PALETTE) {
      png_set_packing(png_);
      png_get_PLTE(png_, info_, &palette, &palette_size);
      if (palette_size < 1) png_error(png_, "the palette is missing");
    }
    if (color_type == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(png_);
    png_set_strip_16(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    row_bytes = png_get_rowbytes(png_, info_);
    channels = png_get_channels(png_, info_);
    return true;
  }

  bool read_rows(png_bytepp rows) {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_read_image(png_, rows);
    png_read_end(png_, nullptr);
    return true;
  }

  png_uint_32 width = 0, height = 0;
  int color_type = 0, palette_size = 0, channels = 0;
  png_colorp palette = nullptr;
  std::size_t row_bytes = 0;
  char error[128]{};

 private:
  [[noreturn]] static void fail(png_structp png, png_const_charp text) {
    auto* self = static_cast<PngDecoder*>(png_get_error_ptr(png));
    std::strncpy(self->error, text, sizeof self->error - 1);
    png_longjmp(png, 1);
  }

  static void read(png_structp png, png_bytep target, std::size_t bytes) {
    auto* self = static_cast<PngDecoder*>(png_get_io_ptr(png));
    if (bytes > self->left_) png_error(png, kCutOff);
    std::memcpy(target, self->rest_, bytes);
    self->rest_ += bytes;
    self->left_ -= bytes;
  }

  const std::uint8_t* rest_;
  std::size_t left_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

// Returns why a file is damaged, in the words of src/images/png.py where it knows the reason, too.
std::string reason(const std::string& error, bool in_header) {
  const std::size_t checksum = error.find(": CRC error");
  if (checksum != std::string::npos) return "wrong checksum of its chunk " + error.substr(0, checksum);
  return in_header && error != kCutOff ? "its header cannot be read" : error;
}

// Converts a decoded row to four bytes per pixel.
void spread(const PngDecoder& png, const std::uint8_t* from, std::uint8_t* to) {
  for (png_uint_32 x = 0; x < png.width; ++x, to += 4) {
    if (png.color_type == PNG_COLOR_TYPE_PALETTE) {
      const png_color& color = png.palette[std::min<int>(from[x], png.palette_size - 1)];
      to[0] = color.red, to[1] = color.green, to[2] = color.blue;
    } else if (png.color_type & PNG_COLOR_MASK_COLOR) {
      std::memcpy(to, from + std::size_t{x} * png.channels, 3);
    } else {
      std::memset(to, from[std::size_t{x} * png.channels], 3);
    }
  }
}

}  // namespace

void decode_png(const std::vector<std::uint8_t>& file, Image& image) {
  PngDecoder decoder(file);
  const auto failed = [&](bool in_header) { return ImageError("damaged PNG: " + reason(decoder.error, in_header)); };
  if (!decoder.read_header()) throw failed(true);
  check_shape(decoder.width, decoder.height);
  image.resize(decoder.width, decoder.height);
  if (!decoder.set_format()) throw failed(false);
  std::vector<std::uint8_t> bytes(decoder.row_bytes * decoder.height);
  std::vector<png_bytep> rows(decoder.height);
  for (png_uint_32 y = 0; y < decoder.height; ++y) rows[y] = bytes.data() + decoder.row_bytes * y;
  if (!decoder.read_rows(rows.data())) throw failed(false);
  for (png_uint_32 y = 0; y < decoder.height; ++y) spread(decoder, rows[y], image.row(static_cast<int>(y)));
}

}  // namespace tinynet
