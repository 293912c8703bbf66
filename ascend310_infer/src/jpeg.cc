// Decodes JPEG with libjpeg-turbo and Pillow's settings: accurate DCT, smooth chroma, inverted CMYK of Adobe.
// clang-format off: jpeglib.h needs cstdio, and jerror.h needs jpeglib.h
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <csetjmp>
#include <string>

#include "errors.h"
#include "image.h"

#ifndef JCS_EXTENSIONS
#error "this libjpeg cannot write four bytes per pixel; use libjpeg-turbo"
#endif

namespace tinynet {
namespace {

// The state of libjpeg. A step that fails returns false and leaves the reason in `error`.
// libjpeg leaves a failed step by longjmp, so a step must not hold objects with destructors.
class JpegDecoder {
 public:
  explicit JpegDecoder(const std::vector<std::uint8_t>& file) {
    info.err = jpeg_std_error(&errors_);
    info.client_data = this;
    errors_.error_exit = fail;
    errors_.emit_message = [](j_common_ptr, int) {};  // like Pillow, ignore warnings
    source_.next_input_byte = file.data();
    source_.bytes_in_buffer = file.size();
    source_.init_source = source_.term_source = [](j_decompress_ptr) {};
    source_.fill_input_buffer = cut_off;
    source_.skip_input_data = skip;
    source_.resync_to_restart = jpeg_resync_to_restart;
  }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;
  ~JpegDecoder() { jpeg_destroy_decompress(&info); }

  bool read_header() {
    if (setjmp(escape_)) return false;
    jpeg_create_decompress(&info);
    info.src = &source_;
    jpeg_read_header(&info, TRUE);
    info.out_color_space = info.num_components == 4 ? JCS_CMYK : JCS_EXT_RGBX;
    return true;
  }

  // Whether only some builds of libjpeg decode this kind. A lossless scan names a predictor where others begin at 0.
  bool is_rare() const { return info.arith_code || (!info.progressive_mode && info.Ss > 0); }

  bool read_pixels(Image& image) {
    if (setjmp(escape_)) return false;
    jpeg_start_decompress(&info);
    while (info.output_scanline < info.output_height) {
      JSAMPROW row = image.row(static_cast<int>(info.output_scanline));
      jpeg_read_scanlines(&info, &row, 1);
    }
    jpeg_finish_decompress(&info);  // reads up to the end mark, so a truncated file fails
    return true;
  }

  jpeg_decompress_struct info{};
  char error[JMSG_LENGTH_MAX]{};
  bool is_cut_off = false;

 private:
  [[noreturn]] static void fail(j_common_ptr info) {
    auto* self = static_cast<JpegDecoder*>(info->client_data);
    self->is_cut_off = info->err->msg_code == JWRN_JPEG_EOF;
    info->err->format_message(info, self->error);
    std::longjmp(self->escape_, 1);
  }

  static boolean cut_off(j_decompress_ptr info) {
    ERREXIT(info, JWRN_JPEG_EOF);
    return FALSE;
  }

  static void skip(j_decompress_ptr info, long bytes) {
    if (bytes <= 0) return;
    if (static_cast<std::size_t>(bytes) > info->src->bytes_in_buffer) cut_off(info);
    info->src->next_input_byte += bytes;
    info->src->bytes_in_buffer -= static_cast<std::size_t>(bytes);
  }

  jpeg_error_mgr errors_{};
  jpeg_source_mgr source_{};
  std::jmp_buf escape_{};
};

int product(int a, int b) {  // a * b / 255, rounded as in Pillow
  const int t = a * b + 128;
  return ((t >> 8) + t) >> 8;
}

void cmyk_to_rgb(Image& image) {  // Adobe stores inverted inks: 255 is no ink
  for (std::size_t i = 0; i < image.pixels.size(); i += 4) {
    std::uint8_t* pixel = &image.pixels[i];
    const int light = pixel[3];
    for (int c = 0; c < 3; ++c) pixel[c] = static_cast<std::uint8_t>(light - product(255 - pixel[c], light));
  }
}

}  // namespace

void decode_jpeg(const std::vector<std::uint8_t>& file, Image& image) {
  JpegDecoder decoder(file);
  const auto failed = [&](const char* reason) {
    return ImageError(std::string("damaged JPEG: ") +
                      (decoder.is_cut_off ? "the file ends before the image does" : reason));
  };
  if (!decoder.read_header()) throw failed("its header cannot be read");
  const int components = decoder.info.num_components;
  if (components != 1 && components != 3 && components != 4) {
    throw ImageError("JPEG with " + std::to_string(components) + " color components; only 1, 3 and 4 are supported");
  }
  if (decoder.is_rare()) throw ImageError("JPEG of a lossless or arithmetic kind; expected baseline or progressive");
  check_shape(decoder.info.image_width, decoder.info.image_height);
  image.resize(decoder.info.image_width, decoder.info.image_height);
  if (!decoder.read_pixels(image)) throw failed(decoder.error);
  if (components == 4) cmyk_to_rgb(image);
}

}  // namespace tinynet
