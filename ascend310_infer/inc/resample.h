// Pillow's antialiased resize, bit for bit: bicubic for a center crop of the result, bilinear for all of it.
#pragma once

#include <cstdint>
#include <vector>

#include "image.h"

namespace tinynet {

enum class Kernel { kBicubic, kBilinear };

// The weights of one axis. Output pixel i is the weighted sum of input pixels start(i) .. start(i) + taps(i) - 1.
class Filter {
 public:
  // For output pixels first .. first + count - 1, if `input` pixels are resized to `output` pixels.
  Filter(Kernel kernel, int input, int output, int first, int count);

  int count() const { return static_cast<int>(parts_.size()); }
  int start(int i) const { return parts_[i].start; }
  int taps(int i) const { return parts_[i].taps; }
  const std::int32_t* weights(int i) const { return &weights_[parts_[i].offset]; }

 private:
  struct Part {
    int start, taps;
    std::size_t offset;  // index of its first weight
  };
  std::vector<Part> parts_;
  std::vector<std::int32_t> weights_;
};

// Resizes `image` to a short side of `short_side` pixels, and writes the center size x size pixels to `crop`.
// Requires 2 <= size <= short_side. `scratch` is working memory that the next call reuses.
// Throws ImageError as Image::resize(), or if the image is too long and thin.
void resized_crop(const Image& image, int short_side, int size, Image& crop, Image& scratch);

// Resizes all of `image` to size x size pixels in `result`; each axis is scaled on its own. Requires size >= 2.
// `scratch` is as above. Throws ImageError as Image::resize().
void stretched(const Image& image, int size, Image& result, Image& scratch);

}  // namespace tinynet
