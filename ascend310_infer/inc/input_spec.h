// Rules for a model's input and batch size. Both back ends use them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tinynet {

enum class ElementType { kFloat32, kUInt8 };

// The input of a model: normalized float32 planes (NCHW), or uint8 RGB pixels (NHWC) if the model normalizes them.
struct InputSpec {
  ElementType type = ElementType::kFloat32;
  int size = 0;   // side of the image, pixels
  int batch = 1;  // maximum number of images per call

  std::size_t bytes_per_image() const {
    return std::size_t{3} * size * size * (type == ElementType::kFloat32 ? sizeof(float) : 1);
  }
};

// A model's input or output, as the runtime reports it.
struct TensorInfo {
  std::string type;                 // "float32", "float16" or "uint8"; "type N" for all others
  std::vector<std::int64_t> shape;  // a length below 1 is open

  std::string text() const;  // such as "[-1, 10] of float32"
};

// Throws UserError if `path` is not a file.
void require_model(const std::filesystem::path& path);

// Returns type and size of an input of shape [batch, 3, size, size] (float32) or [batch, size, size, 3] (uint8).
// With `has_aipp`, a uint8 input may also have the first shape: AIPP keeps the shape of the network behind it.
// Leaves the batch at 1. Throws UserError for any other input.
InputSpec image_input(const std::string& model, const TensorInfo& input, bool has_aipp);

// Returns the maximum number of images per call. `fixed` is the model's batch, or below 1 if that is open;
// `requested` is --batch_size, 0 by default. Throws UserError if the two disagree.
int max_batch(const std::string& model, std::int64_t fixed, int requested);

}  // namespace tinynet
