#include "report.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "errors.h"
#include "terminal.h"

namespace tinynet {
namespace {

namespace fs = std::filesystem;

// Standard output, or a new file.
class Sink {
 public:
  explicit Sink(const fs::path& path) {
    if (!path.empty()) file_ = std::make_unique<NewFile>(path);
  }

  void write(const std::string& text) {
    if (file_) {
      file_->write(text);
    } else {
      print(text);
    }
  }

  void close() {
    if (file_) file_->close();
  }

  bool is_terminal() const { return !file_ && isatty(STDOUT_FILENO); }

 private:
  std::unique_ptr<NewFile> file_;
};

class TextReport : public Report {
 public:
  TextReport(const fs::path& output, std::vector<std::string> names, int top_k)
      : sink_(output), names_(std::move(names)), top_k_(top_k) {}
  void close() override { sink_.close(); }

 protected:
  Sink sink_;
  const std::vector<std::string> names_;
  const int top_k_;
};

// path: name 93.1%, name 4.0%
class PlainReport : public TextReport {
 public:
  using TextReport::TextReport;

  void add(const ImageFile& image, const Result& result) override {
    std::string line = image.path.string();
    const char* separator = ": ";
    for (const Class& it : top_classes(result.logits, top_k_)) {
      char percent[16];
      std::snprintf(percent, sizeof percent, " %.1f%%", 100 * it.probability);
      line += separator + names_[it.index] + percent;
      separator = ", ";
    }
    if (result.error.empty()) sink_.write(printable(line) + "\n");
  }
};

// The array of predict.py --json, in ASCII. An image that cannot be read has "error" instead of "top".
class JsonReport : public TextReport {
 public:
  using TextReport::TextReport;

  void add(const ImageFile& image, const Result& result) override {
    nlohmann::ordered_json entry = {{"image", image.path.string()}};
    if (result.error.empty()) {
      for (const Class& it : top_classes(result.logits, top_k_)) {
        entry["top"].push_back({{"class", names_[it.index]}, {"index", it.index}, {"probability", it.probability}});
      }
    } else {
      entry["error"] = result.error;
    }
    sink_.write(separator_ + entry.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
    separator_ = ",\n";
  }

  void close() override {
    sink_.write(separator_ == kFirst ? "[]\n" : "\n]\n");
    TextReport::close();
  }

 private:
  static constexpr const char* kFirst = "[\n";
  std::string separator_ = kFirst;
};

// One line per class and image, best first. An image that cannot be read has one line with its error.
// Names are written as they are, but a terminal gets no control characters.
class CsvReport : public TextReport {
 public:
  CsvReport(const fs::path& output, std::vector<std::string> names, int top_k)
      : TextReport(output, std::move(names), top_k) {
    sink_.write("image,rank,index,class,probability,error\n");
  }

  void add(const ImageFile& image, const Result& result) override {
    const std::string path = quoted(image.path.string());
    if (!result.error.empty()) sink_.write(path + ",,,,," + quoted(result.error) + "\n");
    int rank = 0;
    for (const Class& it : top_classes(result.logits, top_k_)) {
      char probability[32];
      std::snprintf(probability, sizeof probability, "%.9g", it.probability);
      sink_.write(path + "," + std::to_string(++rank) + "," + std::to_string(it.index) + "," +
                  quoted(names_[it.index]) + "," + probability + ",\n");
    }
  }

 private:
  std::string quoted(const std::string& name) const {
    const std::string text = sink_.is_terminal() ? printable(name) : name;
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string inside;
    for (const char c : text) inside += c == '"' ? std::string("\"\"") : std::string(1, c);
    return "\"" + inside + "\"";
  }
};

// Writes float32 logits to FOLDER/sub-folders/NAME_0.bin. NAME is the name of the image without its suffix.
// If two images share that name, even unreadable ones, the suffix stays. If they still share it, a number is added.
class BinReport : public Report {
 public:
  BinReport(const fs::path& folder, const std::vector<ImageFile>& images) : folder_(folder) {
    std::error_code error;
    if (fs::exists(folder, error) && !(fs::is_directory(folder, error) && fs::is_empty(folder, error))) {
      throw UserError(folder.string() + " exists already; give another --output or remove it");
    }
    if (!fs::create_directories(folder, error) && error) {
      throw UserError("cannot write " + folder.string() + ": " + error.message());
    }
    std::map<fs::path, int> alike, used;
    for (const ImageFile& image : images) ++alike[fs::path(image.name).replace_extension()];
    for (const ImageFile& image : images) {
      const fs::path plain = fs::path(image.name).replace_extension(), name = alike[plain] > 1 ? image.name : plain;
      const int number = ++used[name];
      names_.push_back(name.string() + (number > 1 ? "-" + std::to_string(number) : "") + "_0.bin");
    }
  }

  void add(const ImageFile&, const Result& result) override {
    if (!result.error.empty()) return;
    const fs::path target = folder_ / names_[result.index];
    std::error_code error;
    fs::create_directories(target.parent_path(), error);  // NewFile reports an error
    NewFile file(target);
    file.write({reinterpret_cast<const char*>(result.logits.data()), result.logits.size() * sizeof(float)});
    file.close();
  }

 private:
  fs::path folder_;
  std::vector<std::string> names_;  // file name per image
};

}  // namespace

std::vector<Class> top_classes(const std::vector<float>& logits, int count) {
  std::vector<int> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto key = [&](int i) { return std::isnan(logits[i]) ? -std::numeric_limits<float>::infinity() : logits[i]; };
  const auto wanted = order.begin() + std::min<std::ptrdiff_t>(count, static_cast<std::ptrdiff_t>(order.size()));
  std::partial_sort(order.begin(), wanted, order.end(),
                    [&](int a, int b) { return key(a) != key(b) ? key(a) > key(b) : a < b; });
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - logits[order[0]]);
  std::vector<Class> top;
  for (auto it = order.begin(); it != wanted; ++it) {
    top.push_back({*it, std::exp(static_cast<double>(logits[*it]) - logits[order[0]]) / sum});
  }
  return top;
}

std::unique_ptr<Report> open_report(const Options& options, const std::vector<ImageFile>& images,
                                    std::vector<std::string> names) {
  switch (options.format) {
    case Format::kJson:
      return std::make_unique<JsonReport>(options.output, std::move(names), options.top_k);
    case Format::kCsv:
      return std::make_unique<CsvReport>(options.output, std::move(names), options.top_k);
    case Format::kBin:
      return std::make_unique<BinReport>(options.output, images);
    default:
      return std::make_unique<PlainReport>(options.output, std::move(names), options.top_k);
  }
}

}  // namespace tinynet
