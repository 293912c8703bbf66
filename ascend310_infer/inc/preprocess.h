// Turns decoded pixels into the network's input, as the JSON file of export.py describes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "backend.h"
#include "description.h"
#include "image.h"

namespace tinynet {

// Resizes and normalizes images: a classifier sees the center crop, a detector all of it. Not thread safe, because it
// holds working memory; use one per thread.
class Preprocessor {
 public:
  Preprocessor(const Description& description, const InputSpec& input);

  // Writes input.bytes_per_image() bytes at `target`. Throws ImageError as resized_crop() and stretched().
  void operator()(const Image& image, std::byte* target);

 private:
  void normalize(float* target) const;    // float planes, NCHW
  void pack(std::uint8_t* target) const;  // RGB bytes, NHWC
  Task task_;
  int short_side_, size_;
  ElementType type_;
  std::array<std::array<float, 256>, 3> value_;  // normalized value of each byte, per channel
  Image view_, scratch_;
};

}  // namespace tinynet
