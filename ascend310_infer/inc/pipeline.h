// Turns image files into a network's values on all cores: threads decode images, prepare them and run full batches.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend.h"
#include "description.h"
#include "files.h"
#include "timing.h"

namespace tinynet {

struct Result {
  std::size_t index = 0;      // position of the image in the list
  std::string error;          // why the image has no values; empty if it has them
  std::vector<float> values;  // of all outputs, one after the other; empty after an error
  int width = 0, height = 0;  // of the image as stored, pixels
};

// Each thread runs a full batch if the backend accepts a call, else it prepares the next image.
// So no core is idle while there is work, and one thread at a time can keep a device busy.
//
// One thread calls the methods; the class starts and joins its own threads. The arguments of the constructor must
// outlive the object, because it does not copy them.
class Pipeline {
 public:
  Pipeline(const std::vector<ImageFile>& images, const Description& description, Backend& backend, int threads);
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  ~Pipeline();  // stops the threads, even in the middle of the work

  // Waits for the next batch and returns its results in the order of the images; nothing after the last batch.
  // Throws UserError if Backend::run throws, now and in each later call.
  std::optional<std::vector<Result>> next();

  // Returns the times measured so far. They are complete once next() has returned nothing.
  Stages stages() const;

 private:
  class Rep;
  std::unique_ptr<Rep> rep_;
};

}  // namespace tinynet
