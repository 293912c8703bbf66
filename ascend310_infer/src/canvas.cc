#include "canvas.h"

#include <algorithm>
#include <cmath>

#include "font.h"

namespace tinynet {
namespace {

constexpr Color kWhite{255, 255, 255};
constexpr double kPixelsOfScale = 400;  // of the longer side, for each pixel that a dot of a letter has

void fill(Image& image, int left, int top, int right, int bottom, const Color& color) {
  for (int y = std::max(top, 0); y < std::min(bottom, image.height); ++y) {
    for (int x = std::max(left, 0); x < std::min(right, image.width); ++x) {
      std::uint8_t* pixel = image.row(y) + std::size_t{4} * x;
      pixel[0] = color.red, pixel[1] = color.green, pixel[2] = color.blue;
    }
  }
}

void write_text(Image& image, int left, int top, const std::string& text, int scale) {
  for (const char letter : text) {
    for (int y = 0; y < kLetterHeight; ++y) {
      for (int x = 0; x < kLetterWidth; ++x) {
        const int from_x = left + x * scale, from_y = top + y * scale;
        if (letter_pixel(letter, x, y)) fill(image, from_x, from_y, from_x + scale, from_y + scale, kWhite);
      }
    }
    left += (kLetterWidth + 1) * scale;
  }
}

}  // namespace

void draw_box(Image& image, const Box& box, const std::string& text, const Color& color) {
  const int scale = std::max(1, static_cast<int>(std::lround(std::max(image.width, image.height) / kPixelsOfScale)));
  const int line = scale + 1;
  const int left = static_cast<int>(std::floor(box.x1)), top = static_cast<int>(std::floor(box.y1));
  const int right = static_cast<int>(std::ceil(box.x2)), bottom = static_cast<int>(std::ceil(box.y2));
  fill(image, left, top, right, std::min(top + line, bottom), color);
  fill(image, left, std::max(bottom - line, top), right, bottom, color);
  fill(image, left, top, std::min(left + line, right), bottom, color);
  fill(image, std::max(right - line, left), top, right, bottom, color);
  const int width = (kLetterWidth + 1) * scale * static_cast<int>(text.size()) + scale;
  const int height = (kLetterHeight + 2) * scale;
  const int label_left = std::clamp(left, 0, std::max(image.width - width, 0));
  const int label_top = top >= height ? top - height : std::max(top, 0);
  fill(image, label_left, label_top, label_left + width, label_top + height, color);
  write_text(image, label_left + scale, label_top + scale, text, scale);
}

}  // namespace tinynet
