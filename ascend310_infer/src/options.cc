#include "options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <thread>

#include "errors.h"

namespace tinynet {
namespace {

// Returns the words with dashes in flag names replaced by underscores, as the Python programs accept both.
std::vector<std::string> normalized(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  for (std::string& word : words) {
    if (word.rfind("--", 0) == 0)
      std::replace(word.begin() + 2, std::min(word.end(), std::find(word.begin(), word.end(), '=')), '-', '_');
  }
  std::reverse(words.begin(), words.end());  // CLI11 expects the reverse order
  return words;
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

std::optional<Options> parse_options(int argc, const char* const* argv) {
  Options it;
  std::string device;
  it.threads = static_cast<int>(std::max(std::thread::hardware_concurrency(), 1u));
  CLI::App app("Classify images with a network that export.py wrote.", "tinynet_infer");
  app.set_help_flag("-h,--help", "show this text");
  app.add_option("images,--dataset_path", it.images, "image files, and folders of images");
  app.add_option("--model_path,--mindir_path", it.model,
                 "model of export.py: .mindir (MindSpore Lite) or .onnx (ONNX Runtime)")
      ->required();
  app.add_option("--description", it.description, "JSON file of export.py; default: the model's path with .json");
  app.add_option("--device_type", device, "Ascend or CPU; default: Ascend for .mindir, CPU for .onnx")
      ->check(CLI::IsMember({"Ascend", "CPU"}, CLI::ignore_case))
      ->transform(CLI::IsMember({"Ascend", "CPU"}, CLI::ignore_case));
  app.add_option("--device_id", it.device_id, "number of the Ascend device")
      ->check(CLI::Range(0, 1023))
      ->capture_default_str();
  app.add_option("--batch_size", it.batch, "maximum images per call; 0: the model's own, else 1")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  app.add_option("--threads", it.threads, "threads that decode and compute; default: one per core")
      ->check(CLI::Range(1, 1024));
  app.add_option("--top_k", it.top_k, "classes to report per image")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_option("--labels", it.labels, "text file with one class name per line; default: the model's names");
  app.add_option("--output", it.output, "new file to write (bin: new folder); default: standard output");
  app.add_option("--format", it.format, "text, json, csv, or bin: raw logits in NAME_0.bin, as in older 310 programs")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, Format>{
              {"text", Format::kText}, {"json", Format::kJson}, {"csv", Format::kCsv}, {"bin", Format::kBin}},
          CLI::ignore_case));
  app.add_option("--timing", it.timing, "new JSON file for the timing");
  app.add_option("--warmup", it.warmup, "batches to run before the first image")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  app.add_option("--ort_lib", it.onnxruntime,
                 "library of ONNX Runtime; default: ORT_LIB, else Python environment, else system");
  app.add_option("--config_file", it.config, "configuration file of MindSpore Lite");
  app.add_option("--aipp_path", it.aipp, "Ascend: AIPP file, for a model that is compiled at load time");
  app.add_option("--precision_mode", it.precision, "Ascend: precision mode, such as enforce_fp16 or preferred_fp32");
  try {
    app.parse(normalized(argc, argv));
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    throw UserError(one_line(error.what()) + "; --help lists all flags");
  }
  if (device.empty()) device = it.model.extension() == ".mindir" ? "Ascend" : "CPU";
  it.device = device == "Ascend" ? Device::kAscend : Device::kCpu;
  if (it.description.empty()) it.description = std::filesystem::path(it.model).replace_extension(".json");
  if (it.format == Format::kBin && it.output.empty()) {
    throw UserError("--format bin writes a folder of files; name a new one with --output");
  }
  return it;
}

}  // namespace tinynet
