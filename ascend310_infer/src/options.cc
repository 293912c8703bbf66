#include "options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <thread>

#include "errors.h"

namespace tinynet {
namespace {

// Dashes within a flag's name are as good as underscores, as in the Python programs.
std::vector<std::string> normalized(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  for (std::string& word : words) {
    if (word.rfind("--", 0) == 0)
      std::replace(word.begin() + 2, std::min(word.end(), std::find(word.begin(), word.end(), '=')), '-', '_');
  }
  std::reverse(words.begin(), words.end());  // as CLI11 takes them
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
  app.add_option("images,--dataset_path", it.images, "images, and folders of them");
  app.add_option("--model_path,--mindir_path", it.model, "MINDIR (MindSpore Lite) or ONNX file (ONNX Runtime)")
      ->required();
  app.add_option("--description", it.description, "JSON of export.py; default beside the model, of the same name");
  app.add_option("--device_type", device, "Ascend or CPU; default Ascend for a MINDIR, CPU for an ONNX file")
      ->check(CLI::IsMember({"Ascend", "CPU"}, CLI::ignore_case))
      ->transform(CLI::IsMember({"Ascend", "CPU"}, CLI::ignore_case));
  app.add_option("--device_id", it.device_id, "which Ascend device")->check(CLI::Range(0, 1023))->capture_default_str();
  app.add_option("--batch_size", it.batch, "images of one call; 0: as the model says, else 1")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  app.add_option("--threads", it.threads, "threads that decode images and compute; default one a core")
      ->check(CLI::Range(1, 1024));
  app.add_option("--top_k", it.top_k, "classes to name for each image")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_option("--labels", it.labels, "text file with one class name a line; default the model's own");
  app.add_option("--output", it.output, "file to write (bin: folder), which must not exist; default: text is printed");
  app.add_option("--format", it.format, "text, json or csv; bin: NAME_0.bin of raw logits, as older 310 programs write")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, Format>{
              {"text", Format::kText}, {"json", Format::kJson}, {"csv", Format::kCsv}, {"bin", Format::kBin}},
          CLI::ignore_case));
  app.add_option("--timing", it.timing, "JSON file to write the timing to");
  app.add_option("--warmup", it.warmup, "batches to compute before the first image")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  app.add_option("--ort_lib", it.onnxruntime, "ONNX Runtime's library; default ORT_LIB, the active Python, the system");
  app.add_option("--config_file", it.config, "MindSpore Lite: its configuration file");
  app.add_option("--aipp_path", it.aipp, "Ascend: AIPP file for a model that is compiled when it is loaded");
  app.add_option("--precision_mode", it.precision, "Ascend: such as enforce_fp16, preferred_fp32");
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
