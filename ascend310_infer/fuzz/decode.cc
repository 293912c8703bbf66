// libFuzzer target: decodes arbitrary bytes as an image, then crops it. An ImageError is a correct answer.
#include <vector>

#include "errors.h"
#include "image.h"
#include "resample.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static tinynet::Image image, crop, scratch;  // reused, as in the program
  try {
    tinynet::decode(std::vector<std::uint8_t>(data, data + size), image);
    tinynet::resized_crop(image, 9, 8, crop, scratch);
  } catch (const tinynet::ImageError&) {
  }
  return 0;
}
