#include "half.h"

#include <cmath>
#include <limits>

namespace tinynet {
namespace {

float to_float(std::uint16_t half) {
  const int exponent = (half >> 10) & 31, fraction = half & 1023;
  float size = std::ldexp(static_cast<float>(fraction), -24);  // zero or subnormal
  if (exponent == 31) {
    size = fraction ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
  } else if (exponent > 0) {
    size = std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  }
  return half & 0x8000 ? -size : size;
}

}  // namespace

void halves_to_floats(const std::uint16_t* halves, std::size_t count, float* floats) {
  for (std::size_t i = 0; i < count; ++i) floats[i] = to_float(halves[i]);
}

}  // namespace tinynet
