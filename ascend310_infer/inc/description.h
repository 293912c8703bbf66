// The JSON file that export.py writes beside a model. It describes the task, the input and the classes of the network.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "detections.h"
#include "task.h"

namespace tinynet {

struct Description {
  std::string model;                    // name of the network, such as "tinynet_c"
  Task task = Task::kClassification;    // what it does
  int size = 0;                         // side of the input, pixels
  int short_side = 0;                   // classifier: short side of the resized image, before the crop, pixels
  std::array<double, 3> mean{}, std{};  // of RGB, for pixels scaled to 0..1
  int num_classes = 0;
  std::vector<std::string> classes;  // one name per class, or empty
  int anchors = 0;                   // detector: boxes of an image
  Rule rule;                         // detector: from the boxes to the objects
};

// Throws UserError if the file cannot be read, is not JSON, or has a missing or wrong entry, which it names.
Description read_description(const std::filesystem::path& path);

// Returns one name per class: the lines of `labels`, unless empty; else the names in the description, else numbers.
// Throws UserError if the file cannot be read, is not UTF-8, has the wrong number of lines, or names the classes of the
// description in another order.
std::vector<std::string> class_names(const Description& description, const std::filesystem::path& labels);

}  // namespace tinynet
