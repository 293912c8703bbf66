#include "preprocess.h"

#include <cstring>

#include "resample.h"

namespace tinynet {

Preprocessor::Preprocessor(const Description& description, const InputSpec& input)
    : task_(description.task), short_side_(description.short_side), size_(description.size), type_(input.type) {
  for (int c = 0; c < 3; ++c) {  // float32, as in preprocess.py
    const float mean = static_cast<float>(description.mean[c]) * 255.0f;
    const float std = static_cast<float>(description.std[c]) * 255.0f;
    for (int byte = 0; byte < 256; ++byte) value_[c][byte] = (static_cast<float>(byte) - mean) / std;
  }
}

void Preprocessor::operator()(const Image& image, std::byte* target) {
  if (task_ == Task::kDetection) {
    stretched(image, size_, view_, scratch_);
  } else {
    resized_crop(image, short_side_, size_, view_, scratch_);
  }
  if (type_ == ElementType::kFloat32) {
    normalize(reinterpret_cast<float*>(target));
  } else {
    pack(reinterpret_cast<std::uint8_t*>(target));
  }
}

void Preprocessor::normalize(float* target) const {
  const std::size_t count = std::size_t{1} * size_ * size_;
  const std::uint8_t* pixel = view_.row(0);
  for (std::size_t i = 0; i < count; ++i, pixel += 4) {
    for (int c = 0; c < 3; ++c) target[count * c + i] = value_[c][pixel[c]];
  }
}

void Preprocessor::pack(std::uint8_t* target) const {
  const std::size_t count = std::size_t{1} * size_ * size_;
  const std::uint8_t* pixel = view_.row(0);
  for (std::size_t i = 0; i < count; ++i, pixel += 4, target += 3) std::memcpy(target, pixel, 3);
}

}  // namespace tinynet
