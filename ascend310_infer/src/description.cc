#include "description.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "errors.h"

namespace tinynet {
namespace {

std::ifstream open(const std::filesystem::path& path, const std::string& advice) {
  std::ifstream file(path);
  if (!file || std::filesystem::is_directory(path)) {
    throw UserError("cannot read " + path.string() + ": " + (file ? "it is a folder" : std::strerror(errno)) + "; " +
                    advice);
  }
  return file;
}

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
  std::ifstream file = open(path, "export.py writes it beside the model; name another with --description");
  Description it;
  try {
    const nlohmann::json json = nlohmann::json::parse(file);
    const nlohmann::json& preprocess = json.at("preprocess");
    it.model = json.at("model").get<std::string>();
    it.size = preprocess.at("crop").at("size").get<int>();
    it.short_side = preprocess.at("resize").at("short_side").get<int>();
    it.mean = preprocess.at("mean").get<std::array<double, 3>>();
    it.std = preprocess.at("std").get<std::array<double, 3>>();
    it.num_classes = json.at("num_classes").get<int>();
    it.classes = json.at("classes").get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception& error) {
    throw UserError(path.string() + " does not describe a model as export.py does: " + error.what());
  }
  check(it, path);
  return it;
}

std::vector<std::string> class_names(const Description& description, const std::filesystem::path& labels) {
  const auto count = static_cast<std::size_t>(description.num_classes);
  std::vector<std::string> names = description.classes;
  if (!labels.empty()) {
    std::ifstream file = open(labels, "it should hold one class name a line");
    names.clear();
    for (std::string line; std::getline(file, line);) {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      names.push_back(line);
    }
    if (names.size() != count) {
      throw UserError(labels.string() + " names " + std::to_string(names.size()) + " classes, the model knows " +
                      std::to_string(count) + "; it should hold one name a line");
    }
  }
  for (std::size_t i = names.size(); i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

}  // namespace tinynet
