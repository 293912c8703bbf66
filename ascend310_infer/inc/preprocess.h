// From decoded pixels to the network's input, by the rule in the JSON that export.py writes beside a model.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "backend.h"
#include "description.h"
#include "image.h"

namespace tinynet {

// Not to be shared between threads: it holds their working memory.
class Preprocessor {
 public:
  Preprocessor(const Description& description, const InputSpec& input);

  // Write one image of `input.bytes_per_image()` bytes at `target`.
  void operator()(const Image& image, std::byte* target);

 private:
  void normalize(float* target) const;    // planes of floats, NCHW
  void pack(std::uint8_t* target) const;  // RGB bytes, NHWC
  int short_side_, size_;
  ElementType type_;
  std::array<std::array<float, 256>, 3> value_;  // of each byte in each channel
  Image crop_, scratch_;
};

}  // namespace tinynet
