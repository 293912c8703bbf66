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

void check(const Description& it, const std::filesystem::path& path) {
  const auto require = [&](bool fits, const std::string& what) {
    if (!fits) throw UserError(path.string() + ": " + what);
  };
  require(it.size >= 8 && it.size <= 4096, "preprocess.crop.size is " + std::to_string(it.size) + ", not 8 to 4096");
  require(it.short_side >= it.size && it.short_side <= 16384,
          "preprocess.resize.short_side is " + std::to_string(it.short_side) + ", not from the crop's size to 16384");
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
    it.size = json.get<int>("/preprocess/crop/size");
    it.short_side = json.get<int>("/preprocess/resize/short_side");
    it.mean = json.get<std::array<double, 3>>("/preprocess/mean");
    it.std = json.get<std::array<double, 3>>("/preprocess/std");
    it.num_classes = json.get<int>("/num_classes");
    it.classes = json.get<std::vector<std::string>>("/classes");
  } catch (const std::exception& error) {
    throw UserError(path.string() + " does not describe a model as export.py does: " + error.what());
  }
  check(it, path);
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
