// Pillow's antialiased bicubic, bit for bit, for the part of the result that a centre crop keeps.
#pragma once

#include <cstdint>
#include <vector>

#include "image.h"

namespace tinynet {

// What each output pixel of one axis is made of: inputs start .. start + taps - 1, weighted in fixed point.
class Filter {
 public:
  // Output pixels first .. first + count - 1 of `input` pixels resized to `output`. Equal sizes copy.
  Filter(int input, int output, int first, int count);

  int count() const { return static_cast<int>(parts_.size()); }
  int start(int i) const { return parts_[i].start; }
  int taps(int i) const { return parts_[i].taps; }
  const std::int32_t* weights(int i) const { return &weights_[parts_[i].offset]; }

 private:
  struct Part {
    int start, taps;
    std::size_t offset;  // of its first weight
  };
  std::vector<Part> parts_;
  std::vector<std::int32_t> weights_;
};

// The centre crop of size x size pixels (2 x 2 at least) from `image` resized so that its short side is `short_side`
// (>= size) pixels. `scratch` is working memory that the next call uses again. Throws ImageError: as Image::resize.
void resized_crop(const Image& image, int short_side, int size, Image& crop, Image& scratch);

}  // namespace tinynet
