// The command line.
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
  std::filesystem::path description;          // default: the model's path with suffix .json
  std::vector<std::filesystem::path> images;  // files and folders
  Device device = Device::kCpu;               // default: Ascend for a MINDIR, CPU for an ONNX file
  int device_id = 0;
  int batch = 0;  // 0: as the model says, else 1
  int threads = 1;
  int top_k = 5;
  int warmup = 0;  // batches before the first image
  std::filesystem::path labels, output, timing;
  Format format = Format::kText;
  std::filesystem::path onnxruntime;   // library; default: searched for
  std::filesystem::path config, aipp;  // MindSpore Lite: configuration file, AIPP file
  std::string precision;               // MindSpore Lite on Ascend: precision mode
};

// Empty when only help was asked for (and printed).
// Throws UserError: unknown flag, missing or unfit value.
std::optional<Options> parse_options(int argc, const char* const* argv);

}  // namespace tinynet
