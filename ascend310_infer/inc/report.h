// Writes the classes of images as text, JSON, CSV, or the raw files of older Ascend 310 programs.
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

// Returns the `count` most likely classes, best first; ties are sorted by index. Computes the softmax in float64.
std::vector<Class> top_classes(const std::vector<float>& logits, int count);

// Writes the results of one run. Not thread safe.
class Report {
 public:
  virtual ~Report() = default;
  // Results come in the order of the images. Throws UserError if the output cannot be written, ReaderGone if the
  // reader of standard output has closed it.
  virtual void add(const ImageFile& image, const Result& result) = 0;
  virtual void close() {}  // after the last result; without it, an output file is not kept
};

// Opens the report of a classifier that the options select, for results of `images`; `names` has one name per class.
// Throws UserError if the output exists already or cannot be written.
std::unique_ptr<Report> open_report(const Options& options, const std::vector<ImageFile>& images,
                                    std::vector<std::string> names);

}  // namespace tinynet
