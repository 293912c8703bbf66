// Encodes an image as PNG.
#pragma once

#include <string>

#include "image.h"

namespace tinynet {

// Returns the bytes of a PNG file with the red, green and blue of each pixel. Throws std::bad_alloc if memory is short.
std::string encode_png(const Image& image);

}  // namespace tinynet
