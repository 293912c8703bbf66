// JPEG through libjpeg-turbo, with Pillow's choices: accurate DCT, smooth chroma, and Adobe's inverted CMYK.
// clang-format off: jpeglib.h needs cstdio and comes before jerror.h
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <csetjmp>
#include <string>

#include "errors.h"
#include "image.h"

#ifndef JCS_EXTENSIONS
#error "this libjpeg cannot write four bytes a pixel; libjpeg-turbo can"
#endif

namespace tinynet {
namespace {

// libjpeg's state and the steps of a decoding. A step that libjpeg breaks off returns false and leaves its reason in
// `error`; as it leaves by longjmp, the steps hold nothing that would need a destructor.
class JpegDecoder {
 public:
  explicit JpegDecoder(const std::vector<std::uint8_t>& file) {
    info.err = jpeg_std_error(&errors_);
    info.client_data = this;
    errors_.error_exit = fail;
    errors_.emit_message = [](j_common_ptr, int) {};  // Pillow, too, takes what libjpeg makes of a flaw
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

  bool read_pixels(Image& image) {
    if (setjmp(escape_)) return false;
    jpeg_start_decompress(&info);
    while (info.output_scanline < info.output_height) {
      JSAMPROW row = image.row(static_cast<int>(info.output_scanline));
      jpeg_read_scanlines(&info, &row, 1);
    }
    jpeg_finish_decompress(&info);  // reads on to the end mark: a file without one is cut off
    return true;
  }

  jpeg_decompress_struct info{};
  char error[JMSG_LENGTH_MAX]{};

 private:
  [[noreturn]] static void fail(j_common_ptr info) {
    auto* self = static_cast<JpegDecoder*>(info->client_data);
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

int product(int a, int b) {  // a * b / 255, rounded as Pillow rounds it
  const int t = a * b + 128;
  return ((t >> 8) + t) >> 8;
}

void cmyk_to_rgb(Image& image) {  // libjpeg gives the inverted inks that Adobe writes: 255 is none
  for (std::size_t i = 0; i < image.pixels.size(); i += 4) {
    std::uint8_t* pixel = &image.pixels[i];
    const int light = pixel[3];
    for (int c = 0; c < 3; ++c) pixel[c] = static_cast<std::uint8_t>(light - product(255 - pixel[c], light));
  }
}

}  // namespace

void decode_jpeg(const std::vector<std::uint8_t>& file, Image& image) {
  JpegDecoder decoder(file);
  const auto failed = [&] { return ImageError(std::string("damaged JPEG: ") + decoder.error); };
  if (!decoder.read_header()) throw failed();
  const int components = decoder.info.num_components;
  if (components != 1 && components != 3 && components != 4) {
    throw ImageError("JPEG of " + std::to_string(components) + " colour components; 1, 3 or 4 can be read");
  }
  image.resize(decoder.info.image_width, decoder.info.image_height);
  if (!decoder.read_pixels(image)) throw failed();
  if (components == 4) cmyk_to_rgb(image);
}

}  // namespace tinynet
