// IEEE half precision, which C++17 has no type for.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tinynet {

void halves_to_floats(const std::uint16_t* halves, std::size_t count, float* floats);

}  // namespace tinynet
