#include "report.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "output_folder.h"
#include "sink.h"
#include "terminal.h"

namespace tinynet {
namespace {

namespace fs = std::filesystem;

constexpr int kTopK = 5;  // classes of an image, if --top_k is not given

// path: name 93.1%, name 4.0%
class PlainReport : public Report {
 public:
  PlainReport(const fs::path& output, std::vector<std::string> names, int top_k)
      : sink_(output), names_(std::move(names)), top_k_(top_k) {}

  void add(const ImageFile& image, const Result& result) override {
    std::string line = image.path.string();
    const char* separator = ": ";
    for (const Class& it : top_classes(result.values, top_k_)) {
      char percent[16];
      std::snprintf(percent, sizeof percent, " %.1f%%", 100 * it.probability);
      line += separator + names_[it.index] + percent;
      separator = ", ";
    }
    if (result.error.empty()) sink_.write(printable(line) + "\n");
  }

  void close() override { sink_.close(); }

 private:
  Sink sink_;
  const std::vector<std::string> names_;
  const int top_k_;
};

// The array of predict.py --json. An image that cannot be read has "error" instead of "top".
class JsonReport : public Report {
 public:
  JsonReport(const fs::path& output, std::vector<std::string> names, int top_k)
      : array_(output), names_(std::move(names)), top_k_(top_k) {}

  void add(const ImageFile& image, const Result& result) override {
    nlohmann::ordered_json entry = {{"image", image.path.string()}};
    if (result.error.empty()) {
      for (const Class& it : top_classes(result.values, top_k_)) {
        entry["top"].push_back({{"class", names_[it.index]}, {"index", it.index}, {"probability", it.probability}});
      }
    } else {
      entry["error"] = result.error;
    }
    array_.add(entry);
  }

  void close() override { array_.close(); }

 private:
  JsonArray array_;
  const std::vector<std::string> names_;
  const int top_k_;
};

// One line per class and image, best first. An image that cannot be read has one line with its error.
class CsvReport : public Report {
 public:
  CsvReport(const fs::path& output, std::vector<std::string> names, int top_k)
      : sink_(output), names_(std::move(names)), top_k_(top_k) {
    sink_.write("image,rank,index,class,probability,error\n");
  }

  void add(const ImageFile& image, const Result& result) override {
    const std::string path = sink_.field(image.path.string());
    if (!result.error.empty()) sink_.write(path + ",,,,," + sink_.field(result.error) + "\n");
    int rank = 0;
    for (const Class& it : top_classes(result.values, top_k_)) {
      char probability[32];
      std::snprintf(probability, sizeof probability, "%.9g", it.probability);
      sink_.write(path + "," + std::to_string(++rank) + "," + std::to_string(it.index) + "," +
                  sink_.field(names_[it.index]) + "," + probability + ",\n");
    }
  }

  void close() override { sink_.close(); }

 private:
  Sink sink_;
  const std::vector<std::string> names_;
  const int top_k_;
};

// Writes float32 logits to NAME_0.bin in a new folder.
class BinReport : public Report {
 public:
  BinReport(const fs::path& folder, const std::vector<ImageFile>& images)
      : folder_(folder, "--output", images, "_0.bin") {}

  void add(const ImageFile&, const Result& result) override {
    if (!result.error.empty()) return;
    const std::vector<float>& logits = result.values;
    folder_.write(result.index, {reinterpret_cast<const char*>(logits.data()), logits.size() * sizeof(float)});
  }

 private:
  OutputFolder folder_;
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
  const int top_k = options.top_k.value_or(kTopK);
  switch (options.format) {
    case Format::kJson:
      return std::make_unique<JsonReport>(options.output, std::move(names), top_k);
    case Format::kCsv:
      return std::make_unique<CsvReport>(options.output, std::move(names), top_k);
    case Format::kBin:
      return std::make_unique<BinReport>(options.output, images);
    default:
      return std::make_unique<PlainReport>(options.output, std::move(names), top_k);
  }
}

}  // namespace tinynet
