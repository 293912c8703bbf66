// The JSON that export.py writes beside a model: what the network expects and what its outputs mean.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

namespace tinynet {

struct Description {
  std::string model;                    // such as tinynet_c
  int size = 0;                         // side of the crop, pixels
  int short_side = 0;                   // to which images are resized before the crop, pixels
  std::array<double, 3> mean{}, std{};  // RGB, of pixels scaled to 0..1
  int num_classes = 0;
  std::vector<std::string> classes;  // empty, or a name for each class
};

// Throws UserError: the file is missing, is no JSON, or lacks something, by name.
Description read_description(const std::filesystem::path& path);

// A name for each class: lines of the file where one is given, else the description's, else the numbers.
// Throws UserError: the file cannot be read, or has another number of lines.
std::vector<std::string> class_names(const Description& description, const std::filesystem::path& labels);

}  // namespace tinynet
