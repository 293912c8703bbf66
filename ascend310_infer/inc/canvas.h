// Draws boxes with a text on an image.
#pragma once

#include <cstdint>
#include <string>

#include "detections.h"
#include "image.h"

namespace tinynet {

struct Color {
  std::uint8_t red = 0, green = 0, blue = 0;
};

// Draws the frame of a box, and the text in white on the color of the frame: above the upper left corner if there is
// room, else inside. The larger the image, the wider are lines and letters. What lies outside of the image is cut off.
// `text` has characters of font.h.
void draw_box(Image& image, const Box& box, const std::string& text, const Color& color);

}  // namespace tinynet
