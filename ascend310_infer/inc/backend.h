// What runs a network: a batch of images in, logits out. The rest of the program knows no runtime.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "options.h"

namespace tinynet {

enum class ElementType { kFloat32, kUInt8 };

// What the model takes: float32 planes (NCHW), normalised; or uint8 RGB pixels (NHWC) where it normalises itself.
struct InputSpec {
  ElementType type = ElementType::kFloat32;
  int size = 0;   // side of the image, pixels
  int batch = 1;  // images that one call takes, at most

  std::size_t bytes_per_image() const {
    return std::size_t{3} * size * size * (type == ElementType::kFloat32 ? sizeof(float) : 1);
  }
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual InputSpec input() const = 0;
  virtual int num_classes() const = 0;

  // How many calls of run() may overlap.
  virtual int concurrency() const = 0;

  // Does a call leave the processor to others, because a device computes?
  virtual bool offloads() const = 0;

  // Compute count (1 .. batch) images. `images` has room for a whole batch, which a backend may fill up as it likes;
  // `logits` for count * num_classes() values. Throws UserError: the runtime refuses.
  virtual void run(std::byte* images, int count, float* logits) = 0;

  // Runtime and device in a few words, such as "ONNX Runtime 1.30.0, CPU".
  virtual std::string name() const = 0;
};

// The backend for the model's suffix and the device; never another one in its place.
// Throws UserError: a combination that does not exist or was not built, a model that cannot be loaded or does not fit.
std::unique_ptr<Backend> open_backend(const Options& options);

std::unique_ptr<Backend> open_onnxruntime(const Options& options);
std::unique_ptr<Backend> open_mindspore_lite(const Options& options);  // built with LITE_HOME only

}  // namespace tinynet
