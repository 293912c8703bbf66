#include "description.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "errors.h"

namespace tinynet {
namespace {

std::ifstream open_text(const std::string& kind, const std::filesystem::path& path, const std::string& advice = "") {
  std::ifstream file(path);
  if (!file || std::filesystem::is_directory(path)) {
    throw UserError("cannot read the " + kind + " " + path.string() + ": " + std::strerror(file ? EISDIR : errno) +
                    advice);
  }
  if (std::filesystem::is_character_file(path) || std::filesystem::is_block_file(path)) {
    throw UserError(path.string() + " is a device; give a file or a pipe");  // /dev/zero has no end
  }
  return file;
}

bool is_utf8(const std::string& text) {
  try {
    return !nlohmann::json(text).dump().empty();
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
}

// Returns the lines of a text in UTF-8 as src/runtime/texts.py reads it, from any system: without its byte order mark
// and without blanks at the ends of lines.
std::vector<std::string> read_lines(const std::filesystem::path& path) {
  std::ifstream file = open_text("labels", path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  for (const char* mark : {"\xff\xfe", "\xfe\xff"}) {
    if (text.rfind(mark, 0) == 0) throw UserError(path.string() + " is in UTF-16; save it as UTF-8");
  }
  if (text.rfind("\xef\xbb\xbf", 0) == 0) text.erase(0, 3);
  std::vector<std::string> lines;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find_first_of("\r\n", start), text.size());
    std::string line = text.substr(start, end - start);
    line.erase(line.find_last_not_of(" \t") + 1);
    lines.push_back(line);
    start = end + (text.compare(end, 2, "\r\n") == 0 ? 2 : 1);
    if (!is_utf8(line)) {
      throw UserError(path.string() + ": line " + std::to_string(lines.size()) +
                      " is not UTF-8; save the file as UTF-8");
    }
  }
  return lines;
}

// Reads values by path, such as "/preprocess/mean". An error names the path.
class Reader {
 public:
  explicit Reader(nlohmann::json json) : json_(std::move(json)) {}

  bool has(const std::string& place) const { return json_.contains(nlohmann::json::json_pointer(place)); }

  template <typename T>
  T get(const std::string& place) const {
    std::string name = place.substr(1);
    std::replace(name.begin(), name.end(), '/', '.');
    try {
      const nlohmann::json& value = json_.at(nlohmann::json::json_pointer(place));
      if (!fits(value, static_cast<T*>(nullptr))) throw UserError("its value " + value.dump() + " is not valid");
      return value.get<T>();
    } catch (const std::exception& error) {
      throw UserError(name + ": " + error.what());
    }
  }

 private:
  template <typename T>
  static bool fits(const nlohmann::json&, const T*) {  // get() checks the type
    return true;
  }
  static bool fits(const nlohmann::json& value, const int*) {  // get() would round other numbers
    return value.is_number_integer() && std::abs(value.get<double>()) < 1e9;
  }
  static bool fits(const nlohmann::json& value, const std::array<double, 3>*) {
    return value.is_array() && value.size() == 3;
  }

  nlohmann::json json_;
};

// Throws UserError with `what` unless `fits`.
void require(bool fits, const std::string& what) {
  if (!fits) throw UserError(what);
}

void require_size(const char* key, int size) {
  require(size >= 8 && size <= 4096, std::string(key) + " is " + std::to_string(size) + ", not 8 to 4096");
}

// Reads what only a classifier has.
void read_classifier(const Reader& json, Description& it) {
  it.size = json.get<int>("/preprocess/crop/size");
  it.short_side = json.get<int>("/preprocess/resize/short_side");
  require_size("preprocess.crop.size", it.size);
  require(it.short_side >= it.size && it.short_side <= 16384,
          "preprocess.resize.short_side is " + std::to_string(it.short_side) + ", not from the crop's size to 16384");
}

// Reads an output of a detector, whose shape is ["batch", anchors, values]; returns the last two.
std::array<int, 2> read_output(const Reader& json, const std::string& place, const std::string& name) {
  const auto found = json.get<std::string>(place + "/name");
  require(found == name, "its outputs are " + found + ", ...; expected boxes and scores");
  return {json.get<int>(place + "/shape/1"), json.get<int>(place + "/shape/2")};
}

// Reads what only a detector has.
void read_detector(const Reader& json, Description& it) {
  const std::array<int, 2> boxes = read_output(json, "/outputs/0", "boxes");
  const std::array<int, 2> scores = read_output(json, "/outputs/1", "scores");
  it.anchors = boxes[0];
  require(boxes[1] == 4 && scores[0] == boxes[0] && scores[1] == it.num_classes + 1,
          "outputs must be boxes of [batch, anchors, 4] and scores of [batch, anchors, num_classes + 1]");
  it.size = json.get<int>("/preprocess/resize/width");
  require_size("preprocess.resize.width", it.size);
  require(json.get<int>("/preprocess/resize/height") == it.size, "preprocess.resize.height must equal its width");
  const auto interpolation = json.get<std::string>("/preprocess/resize/interpolation");
  require(interpolation == "bilinear" && json.get<bool>("/preprocess/resize/antialias"),
          "preprocess.resize is " + interpolation + "; expected bilinear with antialias, as in training");
  it.rule = {json.get<double>("/postprocess/min_score"), json.get<int>("/postprocess/candidates"),
             json.get<double>("/postprocess/nms_overlap"), json.get<int>("/postprocess/max_objects")};
  require(it.rule.min_score >= 0 && it.rule.min_score < 1 && it.rule.candidates >= 1 && it.rule.nms_overlap > 0 &&
              it.rule.nms_overlap <= 1 && it.rule.max_objects >= 1,
          "postprocess is '" + it.rule.text() + "'; expected a score from 0 to 1, an IoU up to 1, and 1 or more");
}

Task read_task(const Reader& json) {
  if (!json.has("/task")) return Task::kClassification;  // export.py names only other tasks
  const auto task = json.get<std::string>("/task");
  require(task == "detection", "task is " + task + "; expected detection, or none for a classifier");
  return Task::kDetection;
}

void check(const Description& it) {
  for (const double std : it.std) require(std > 0, "preprocess.std must be above 0");
  require(it.num_classes >= 1, "num_classes is " + std::to_string(it.num_classes) + ", not 1 or more");
  require(it.classes.empty() || it.classes.size() == static_cast<std::size_t>(it.num_classes),
          std::to_string(it.classes.size()) + " classes are named, num_classes is " + std::to_string(it.num_classes));
}

}  // namespace

Description read_description(const std::filesystem::path& path) {
  std::ifstream file = open_text("description", path, "; export.py writes it; name another with --description");
  Description it;
  try {
    const Reader json(nlohmann::json::parse(file));
    it.model = json.get<std::string>("/model");
    it.task = read_task(json);
    it.mean = json.get<std::array<double, 3>>("/preprocess/mean");
    it.std = json.get<std::array<double, 3>>("/preprocess/std");
    it.num_classes = json.get<int>("/num_classes");
    it.classes = json.get<std::vector<std::string>>("/classes");
    (it.task == Task::kDetection ? read_detector : read_classifier)(json, it);
    check(it);
  } catch (const std::exception& error) {
    throw UserError(path.string() + " does not describe a model as export.py does: " + error.what());
  }
  return it;
}

std::vector<std::string> class_names(const Description& description, const std::filesystem::path& labels) {
  const auto count = static_cast<std::size_t>(description.num_classes);
  std::vector<std::string> names = description.classes;
  if (!labels.empty()) {
    names = read_lines(labels);
    if (names.size() != count) {
      throw UserError(labels.string() + " names " + std::to_string(names.size()) + " classes, the weights have " +
                      std::to_string(count) + "; expected one name a line");
    }
  }
  if (names != description.classes &&
      std::is_permutation(names.begin(), names.end(), description.classes.begin(), description.classes.end())) {
    throw UserError(labels.string() + " names the classes of the weights in another order; leave --labels out");
  }
  for (std::size_t i = names.size(); i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

}  // namespace tinynet
