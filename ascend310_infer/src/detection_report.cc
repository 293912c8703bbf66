#include "detection_report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "detections.h"
#include "drawings.h"
#include "sink.h"
#include "terminal.h"

namespace tinynet {
namespace {

namespace fs = std::filesystem;

constexpr double kShowScore = 0.5;  // if --show_score is not given; as in detect.py predict

// x, y, width and height in pixels, as in COCO's files and detect.py.
std::array<double, 4> coco_box(const Box& box) {
  const double x = box.x1, y = box.y1;
  return {x, y, box.x2 - x, box.y2 - y};
}

// The objects of an image in its own pixels, by falling score.
struct Found {
  const ImageFile& image;
  const Result& result;
  std::vector<Detection> objects;
};

// Writes one format.
class Writer {
 public:
  virtual ~Writer() = default;
  virtual void add(const Found& found, const std::vector<Detection>& shown) = 0;
  virtual void add_error(const ImageFile& image, const std::string& error) = 0;
  virtual void close() = 0;
};

// path: name 93.1% at 12 40 64 66, name 71.0% at ...
class ObjectText : public Writer {
 public:
  ObjectText(const fs::path& output, std::vector<std::string> names) : sink_(output), names_(std::move(names)) {}

  void add(const Found& found, const std::vector<Detection>& shown) override {
    std::string line = found.image.path.string();
    const char* separator = ": ";
    for (const Detection& it : shown) {
      const std::array<double, 4> box = coco_box(it.box);
      char place[128];
      std::snprintf(place, sizeof place, " %.1f%% at %.0f %.0f %.0f %.0f", 100.0 * static_cast<double>(it.score),
                    box[0], box[1], box[2], box[3]);
      line += separator + names_[it.index] + place;
      separator = ", ";
    }
    sink_.write(printable(shown.empty() ? line + ": no objects" : line) + "\n");
  }

  void add_error(const ImageFile&, const std::string&) override {}  // main() prints it
  void close() override { sink_.close(); }

 private:
  Sink sink_;
  const std::vector<std::string> names_;
};

// The array of detect.py predict --json. An image that cannot be read has "error" instead of its objects.
class ObjectJson : public Writer {
 public:
  ObjectJson(const fs::path& output, std::vector<std::string> names) : array_(output), names_(std::move(names)) {}

  void add(const Found& found, const std::vector<Detection>&) override {
    nlohmann::ordered_json objects = nlohmann::ordered_json::array();
    for (const Detection& it : found.objects) {
      objects.push_back(
          {{"class", it.index}, {"name", names_[it.index]}, {"score", double{it.score}}, {"bbox", coco_box(it.box)}});
    }
    array_.add({{"image", found.image.path.string()},
                {"width", found.result.width},
                {"height", found.result.height},
                {"objects", objects}});
  }

  void add_error(const ImageFile& image, const std::string& error) override {
    array_.add({{"image", image.path.string()}, {"error", error}});
  }

  void close() override { array_.close(); }

 private:
  JsonArray array_;
  const std::vector<std::string> names_;
};

// One line per object, best first; one without a rank for an image that has none or that cannot be read.
class ObjectCsv : public Writer {
 public:
  ObjectCsv(const fs::path& output, std::vector<std::string> names) : sink_(output), names_(std::move(names)) {
    sink_.write("image,image_width,image_height,rank,class,name,score,x,y,width,height,error\n");
  }

  void add(const Found& found, const std::vector<Detection>&) override {
    const std::string image = sink_.field(found.image.path.string()) + "," + std::to_string(found.result.width) + "," +
                              std::to_string(found.result.height) + ",";
    if (found.objects.empty()) sink_.write(image + ",,,,,,,,\n");
    int rank = 0;
    for (const Detection& it : found.objects) {
      std::string line = image + std::to_string(++rank) + "," + std::to_string(it.index) + "," +
                         sink_.field(names_[it.index]) + "," + number(it.score) + ",";
      for (const double length : coco_box(it.box)) line += number(length) + ",";
      sink_.write(line + "\n");
    }
  }

  void add_error(const ImageFile& image, const std::string& error) override {
    sink_.write(sink_.field(image.path.string()) + ",,,,,,,,,,," + sink_.field(error) + "\n");
  }

  void close() override { sink_.close(); }

 private:
  static std::string number(double value) { return nlohmann::json(value).dump(); }  // with all its digits

  Sink sink_;
  const std::vector<std::string> names_;
};

std::unique_ptr<Writer> open_writer(const Options& options, std::vector<std::string> names) {
  switch (options.format) {
    case Format::kJson:
      return std::make_unique<ObjectJson>(options.output, std::move(names));
    case Format::kCsv:
      return std::make_unique<ObjectCsv>(options.output, std::move(names));
    default:
      return std::make_unique<ObjectText>(options.output, std::move(names));
  }
}

class DetectionReport : public Report {
 public:
  DetectionReport(const Options& options, const Description& description, const std::vector<ImageFile>& images,
                  const std::vector<std::string>& names)
      : description_(description),
        rule_(overridden(description.rule, options)),
        show_score_(options.show_score.value_or(kShowScore)),
        writer_(open_writer(options, names)),
        drawings_(options.draw.empty() ? nullptr : std::make_unique<Drawings>(options.draw, images, names)) {}

  void add(const ImageFile& image, const Result& result) override {
    if (!result.error.empty()) {
      writer_->add_error(image, result.error);
      return;
    }
    const Found found{image, result, objects_of(result)};
    std::vector<Detection> shown;
    std::copy_if(found.objects.begin(), found.objects.end(), std::back_inserter(shown),
                 [&](const Detection& it) { return double{it.score} >= show_score_; });
    writer_->add(found, shown);
    if (drawings_) drawings_->add(image, result.index, shown);
  }

  void close() override {
    writer_->close();
    std::fprintf(stderr, "rule: %s\n", rule_.text().c_str());
  }

 private:
  std::vector<Detection> objects_of(const Result& result) const {
    const float *boxes = result.values.data(), *scores = boxes + std::size_t{4} * description_.anchors;
    std::vector<Detection> found = detect(boxes, scores, description_.anchors, description_.num_classes, rule_);
    for (Detection& it : found) it.box = scaled(it.box, description_.size, result.width, result.height);
    return found;
  }

  const Description description_;
  const Rule rule_;
  const double show_score_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Drawings> drawings_;
};

}  // namespace

std::unique_ptr<Report> open_detection_report(const Options& options, const Description& description,
                                              const std::vector<ImageFile>& images, std::vector<std::string> names) {
  return std::make_unique<DetectionReport>(options, description, images, std::move(names));
}

}  // namespace tinynet
