// Logits to named classes, and these to text, JSON, CSV, or the raw files of older 310 programs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "files.h"
#include "options.h"
#include "pipeline.h"

namespace tinynet {

struct Class {
  int index = 0;
  double probability = 0;
};

// The `count` likeliest classes, best first; of equal ones the lower index first. Softmax in float64.
std::vector<Class> top_classes(const std::vector<float>& logits, int count);

class Report {
 public:
  virtual ~Report() = default;
  virtual void add(const ImageFile& image, const Result& result) = 0;
  virtual void close() {}  // all results are there
};

// For results of `images`, of classes with these names. Throws UserError: the output exists already or cannot be
// written.
std::unique_ptr<Report> open_report(const Options& options, const std::vector<ImageFile>& images,
                                    std::vector<std::string> names);

}  // namespace tinynet
