// The flags of the command line, parsed and checked.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

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
  int top_k = 5;
  int warmup = 0;  // batches to run before the first image
  std::filesystem::path labels, output, timing;
  Format format = Format::kText;
  std::filesystem::path onnxruntime;   // library; default: see onnxruntime_library.h
  std::filesystem::path config, aipp;  // of MindSpore Lite: configuration file, AIPP file
  std::string precision;               // of MindSpore Lite on an Ascend: precision mode
};

// Returns nothing after --help, which prints all flags.
// Throws UserError if a flag is unknown, or if its value is missing or invalid.
std::optional<Options> parse_options(int argc, const char* const* argv);

}  // namespace tinynet
