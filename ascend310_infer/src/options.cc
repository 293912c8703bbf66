#include "options.h"

#include <pwd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <thread>

#include "errors.h"
#include "terminal.h"

namespace tinynet {
namespace {

const std::map<std::string, Format> kFormats{
    {"text", Format::kText}, {"json", Format::kJson}, {"csv", Format::kCsv}, {"bin", Format::kBin}};

// Returns the words with dashes in flag names replaced by underscores, as the Python programs accept both.
std::vector<std::string> normalized(int argc, const char* const* argv) {
  std::vector<std::string> words;
  for (std::string word : std::vector<std::string>(argv + 1, argv + argc)) {
    const bool is_flag = word.rfind("--", 0) == 0;
    if (is_flag)
      std::replace(word.begin() + 2, std::min(word.end(), std::find(word.begin(), word.end(), '=')), '-', '_');
    const bool has_empty_value = is_flag && word.back() == '=';  // CLI11 takes --flag= for a flag without a value
    words.push_back(has_empty_value ? word.substr(0, word.size() - 1) : word);
    if (has_empty_value) words.emplace_back();
  }
  std::reverse(words.begin(), words.end());  // CLI11 expects the reverse order
  return words;
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

// Puts the home folder into the place of a leading ~ or ~user, as a shell does. Returns what is wrong with the path.
std::string expand_path(std::string& path) {
  if (path.empty()) return "expected a path; an empty text is none (is a variable not set?)";
  if (path.front() != '~') return "";
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string user = path.substr(1, end - 1);
  const char* home = user.empty() ? std::getenv("HOME") : nullptr;
  if (!home) {
    const passwd* known = user.empty() ? getpwuid(getuid()) : getpwnam(user.c_str());
    home = known ? known->pw_dir : nullptr;
  }
  if (!home) return user.empty() ? "the home folder is not known; set HOME, or give the whole path" : "";
  path.replace(0, end, home);
  return "";
}

const CLI::Validator as_path(expand_path, "PATH");

// Adds the flags of detectors: those of detect.py, with its ranges.
void add_detector_flags(CLI::App& app, Options& it) {
  const auto above_0 = CLI::Range(std::numeric_limits<double>::min(), 1.0);
  const auto below_1 = CLI::Range(0.0, std::nextafter(1.0, 0.0));
  const std::string from_model = "; default: the description's";
  app.add_option("--min_score", it.min_score,
                 "detector: least score of a candidate, a pair of an anchor and a class" + from_model)
      ->check(below_1);
  app.add_option("--candidates", it.candidates,
                 "detector: candidates of an image, the best of all classes together" + from_model)
      ->check(CLI::Range(1, 100'000));
  app.add_option("--nms_overlap", it.nms_overlap, "detector: largest IoU of two objects of one class" + from_model)
      ->check(above_0);
  app.add_option("--max_objects", it.max_objects, "detector: objects of an image" + from_model)
      ->check(CLI::Range(1, 100'000));
  app.add_option("--show_score", it.show_score,
                 "detector: least score of the objects that text and pictures show; default: 0.5")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--draw", it.draw, "detector: new folder for a copy of each image with its objects, as PNG")
      ->transform(as_path);
}

// Returns the flags that take one value.
std::vector<CLI::Option*> single_options(CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return option->get_items_expected_max() == 1; });
}

// Throws UserError if a flag has two values; CLI11 would take the last one.
void check_repeated(CLI::App& app) {
  for (const CLI::Option* option : single_options(app)) {
    const std::vector<std::string>& values = option->results();
    const auto other = std::find_if(values.begin(), values.end(), [&](const auto& it) { return it != values.front(); });
    if (other != values.end()) {
      throw UserError(option->get_name() + " is given twice, as " + values.front() + " and " + *other +
                      "; leave one of them out");
    }
  }
}

}  // namespace

std::optional<Options> parse_options(int argc, const char* const* argv) {
  Options it;
  std::string device, format = "text";
  it.threads = static_cast<int>(std::max(std::thread::hardware_concurrency(), 1u));
  CLI::App app("Classify images, or find objects in them, with a network that export.py or detect.py export wrote.",
               "tinynet_infer");
  app.set_help_flag("-h,--help", "show this text");
  app.allow_extras();
  const auto one_of = [](std::vector<std::string> words) { return CLI::IsMember(std::move(words), CLI::ignore_case); };
  app.add_option("images,--dataset_path", it.images, "image files, and folders of images")->transform(as_path);
  app.add_option("--model_path,--mindir_path", it.model,
                 "model of export.py: .mindir (MindSpore Lite) or .onnx (ONNX Runtime)")
      ->transform(as_path)
      ->required();
  app.add_option("--description", it.description, "JSON file of export.py; default: the model's path with .json")
      ->transform(as_path);
  app.add_option("--device_type", device, "Ascend or CPU; default: Ascend for .mindir, CPU for .onnx")
      ->transform(one_of({"Ascend", "CPU"}));
  app.add_option("--device_id", it.device_id, "number of the Ascend device")
      ->check(CLI::Range(0, 1023))
      ->capture_default_str();
  app.add_option("--batch_size", it.batch, "maximum images per call; 0: the model's own, else 1")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  app.add_option("--threads", it.threads, "threads that decode and compute; default: one per core")
      ->check(CLI::Range(1, 1024));
  app.add_option("--top_k", it.top_k, "classifier: classes to report per image; default: 5")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--labels", it.labels, "text file with one class name per line; default: the model's names")
      ->transform(as_path);
  app.add_option("--output", it.output, "new file to write (bin: new folder); default: standard output")
      ->transform(as_path);
  app.add_option("--format", format,
                 "text, json, csv, or (classifier) bin: raw logits in NAME_0.bin, as in older 310 programs")
      ->transform(one_of({"text", "json", "csv", "bin"}));
  app.add_option("--timing", it.timing, "new JSON file for the timing")->transform(as_path);
  app.add_option("--warmup", it.warmup, "batches to run before the first image")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  app.add_option("--ort_lib", it.onnxruntime,
                 "library of ONNX Runtime; default: ORT_LIB, else Python environment, else system")
      ->transform(as_path);
  app.add_option("--config_file", it.config, "configuration file of MindSpore Lite")->transform(as_path);
  app.add_option("--aipp_path", it.aipp, "Ascend: AIPP file, for a model that is compiled at load time")
      ->transform(as_path);
  app.add_option("--precision_mode", it.precision, "Ascend: precision mode, such as enforce_fp16 or preferred_fp32");
  add_detector_flags(app, it);
  for (CLI::Option* option : single_options(app)) option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  try {
    app.parse(normalized(argc, argv));
  } catch (const CLI::CallForHelp&) {
    print(app.help());
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    throw UserError(one_line(error.what()) + "; --help lists all flags");
  }
  if (!app.remaining().empty())
    throw UserError("unknown flag '" + app.remaining().front() + "'; --help lists all flags");
  check_repeated(app);
  if (device.empty()) device = it.model.extension() == ".mindir" ? "Ascend" : "CPU";
  it.device = device == "Ascend" ? Device::kAscend : Device::kCpu;
  if (it.description.empty()) it.description = std::filesystem::path(it.model).replace_extension(".json");
  it.format = kFormats.at(format);
  if (it.format == Format::kBin && it.output.empty()) {
    throw UserError("--format bin writes a folder of files; name a new one with --output");
  }
  return it;
}

void check_flags(const Options& options, Task task) {
  const bool is_detector = task == Task::kDetection;
  const auto refuse = [&](const char* flag, bool is_set) {
    if (!is_set) return;
    throw UserError(std::string(flag) + " is for a " + (is_detector ? "classifier" : "detector") + ", but " +
                    options.model.string() + " is a " + (is_detector ? "detector" : "classifier") +
                    "; leave the flag out");
  };
  if (is_detector) {
    refuse("--top_k", options.top_k.has_value());
    refuse("--format bin", options.format == Format::kBin);
  } else {
    refuse("--min_score", options.min_score.has_value());
    refuse("--candidates", options.candidates.has_value());
    refuse("--nms_overlap", options.nms_overlap.has_value());
    refuse("--max_objects", options.max_objects.has_value());
    refuse("--show_score", options.show_score.has_value());
    refuse("--draw", !options.draw.empty());
  }
}

Rule overridden(const Rule& rule, const Options& options) {
  return {options.min_score.value_or(rule.min_score), options.candidates.value_or(rule.candidates),
          options.nms_overlap.value_or(rule.nms_overlap), options.max_objects.value_or(rule.max_objects)};
}

}  // namespace tinynet
