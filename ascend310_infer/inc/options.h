// The flags of the command line, parsed and checked.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "detections.h"
#include "task.h"

namespace tinynet {

enum class Device { kAscend, kCpu };
enum class Format { kText, kJson, kCsv, kBin };

struct Options {
  std::filesystem::path model;
  std::filesystem::path description;          // default: the model's path with the suffix .json
  std::vector<std::filesystem::path> images;  // files and folders
  Device device = Device::kCpu;               // default: Ascend for a MINDIR file, CPU for an ONNX file
  int device_id = 0;
  int batch = 0;  // maximum images per call; 0: the model's own, else 1
  int threads = 1;
  std::optional<int> top_k;  // of a classifier: classes of an image
  int warmup = 0;            // batches to run before the first image
  std::filesystem::path labels, output, timing;
  Format format = Format::kText;
  std::filesystem::path onnxruntime;   // library; default: see onnxruntime_library.h
  std::filesystem::path config, aipp;  // of MindSpore Lite: configuration file, AIPP file
  std::string precision;               // of MindSpore Lite on an Ascend: precision mode

  // Of a detector: what replaces the rule of the description, and what is shown.
  std::optional<double> min_score, nms_overlap;
  std::optional<int> candidates, max_objects;
  std::optional<double> show_score;  // least score of the objects in text and pictures
  std::filesystem::path draw;        // folder of pictures
};

// Returns nothing after --help, which prints all flags.
// Throws UserError if a flag is unknown, or if its value is missing or invalid.
std::optional<Options> parse_options(int argc, const char* const* argv);

// Throws UserError if a flag is set that models of this task do not have.
void check_flags(const Options& options, Task task);

// Returns the rule with what the options replace.
Rule overridden(const Rule& rule, const Options& options);

}  // namespace tinynet
