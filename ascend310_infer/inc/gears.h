// The batch sizes ("gears") that a model was compiled for: an Ascend takes no others.
#pragma once

#include <string>
#include <vector>

namespace tinynet {

// Sorted batch sizes from what MindSpore Lite tells of a model ("dynamic_dims"), such as "1;8;16", "1,8,16",
// "[1],[8],[16]" or whole shapes "1,3,192,192;8,3,192,192". Empty: any size, or nothing that can be read.
std::vector<int> parse_gears(const std::string& text);

// The most images of one call when `wanted` were asked for (0: as the model says). Throws UserError: no gear is so
// large.
int batch_for(int wanted, const std::vector<int>& gears);

// The least gear that holds `count` images; without gears `count` itself.
int gear_for(int count, const std::vector<int>& gears);

}  // namespace tinynet
