// The batch sizes ("gears") that a model was compiled for. An Ascend accepts no other sizes.
#pragma once

#include <string>
#include <vector>

namespace tinynet {

// Returns the batch sizes, sorted, from MindSpore Lite's model information "dynamic_dims". Its forms are "1;8;16",
// "1,8,16", "[1],[8],[16]" and whole shapes such as "1,3,192,192;8,3,192,192".
// Returns nothing if the text is empty or has another form; any batch size is then tried.
std::vector<int> parse_gears(const std::string& text);

// Returns the maximum number of images per call. `requested` is --batch_size; 0 selects the largest gear.
// Throws UserError if no gear is that large.
int batch_for(int requested, const std::vector<int>& gears);

// Returns the smallest gear that holds `count` images, or `count` if there are no gears.
int gear_for(int count, const std::vector<int>& gears);

}  // namespace tinynet
