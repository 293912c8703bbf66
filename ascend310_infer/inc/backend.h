// The interface between the program and the runtimes that execute a network. Nothing else depends on a runtime.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "input_spec.h"
#include "outputs.h"
#include "task.h"

namespace tinynet {

struct Options;

// A loaded network. Only run() may be called by several threads at once.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual InputSpec input() const = 0;
  virtual std::vector<Output> outputs() const = 0;

  // Maximum number of threads that may be inside run() at once.
  virtual int concurrency() const = 0;

  // True if run() computes on a device and leaves the CPU free.
  virtual bool offloads() const = 0;

  // Computes the outputs of `count` images, from 1 to input().batch.
  // `images` has room for a full batch, and its contents may be overwritten. `values` has room for
  // count * values_per_image(outputs()) numbers, which are written as by gather(). The caller owns both.
  // Throws UserError if the runtime reports an error.
  virtual void run(std::byte* images, int count, float* values) = 0;

  // Runtime and device, such as "ONNX Runtime 1.30.0, CPU".
  virtual std::string name() const = 0;
};

// Throws UserError if there is no such file, or its name is not that of a model.
void check_model(const std::filesystem::path& model);

// Opens a model that check_model() accepts with the runtime for its suffix and device. It never falls back to another
// runtime or device. Throws UserError if the combination is unsupported, or if the model cannot be loaded or has not
// the outputs of the task.
std::unique_ptr<Backend> open_backend(const Options& options, Task task);

}  // namespace tinynet
