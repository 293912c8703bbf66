// IEEE half precision numbers. C++17 has no type for them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tinynet {

// Converts `count` numbers exactly. The arrays must not overlap.
void halves_to_floats(const std::uint16_t* halves, std::size_t count, float* floats);

}  // namespace tinynet
