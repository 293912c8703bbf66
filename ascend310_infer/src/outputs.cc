#include "outputs.h"

#include <cstdint>
#include <cstring>
#include <functional>
#include <numeric>

#include "errors.h"
#include "half.h"

namespace tinynet {
namespace {

bool fits(const TensorInfo& output, int batch, std::size_t lengths) {
  const bool numbers = output.type == "float32" || output.type == "float16";
  if (!numbers || output.shape.size() != lengths || (batch > 0 && output.shape[0] != batch)) return false;
  for (std::size_t i = 1; i < lengths; ++i) {
    if (output.shape[i] < 1) return false;
  }
  return true;
}

Output as_output(const TensorInfo& tensor) {
  Output output;
  output.shape.assign(tensor.shape.begin() + 1, tensor.shape.end());
  output.is_half = tensor.type == "float16";
  return output;
}

[[noreturn]] void refuse(const std::string& model, const char* name, const TensorInfo& output, int batch,
                         const char* expected) {
  throw UserError(model + ": its " + name + " " + output.text() + " is not float32 or float16 [" +
                  (batch > 0 ? std::to_string(batch) : "batch") + ", " + expected + "]");
}

}  // namespace

std::size_t Output::values() const {
  return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
}

std::size_t output_count(Task task) { return task == Task::kDetection ? 2 : 1; }

std::vector<Output> check_outputs(const std::string& model, Task task, const std::vector<TensorInfo>& found,
                                  int batch) {
  if (found.empty()) throw UserError(model + " has no output");
  if (task == Task::kClassification) {
    if (!fits(found[0], batch, 2)) refuse(model, "output", found[0], batch, "classes");
    return {as_output(found[0])};
  }
  if (found.size() < output_count(task)) {
    throw UserError(model +
                    " has one output; a detector has two, boxes and scores; was it written by detect.py export?");
  }
  const TensorInfo &boxes = found[0], &scores = found[1];
  if (!fits(boxes, batch, 3) || boxes.shape[2] != 4) refuse(model, "first output", boxes, batch, "anchors, 4");
  if (!fits(scores, batch, 3) || scores.shape[1] != boxes.shape[1] || scores.shape[2] < 2) {
    const std::string expected = std::to_string(boxes.shape[1]) + ", classes + 1";
    refuse(model, "second output", scores, batch, expected.c_str());
  }
  return {as_output(boxes), as_output(scores)};
}

std::size_t values_per_image(const std::vector<Output>& outputs) {
  std::size_t count = 0;
  for (const Output& output : outputs) count += output.values();
  return count;
}

void gather(const std::vector<Output>& outputs, const std::vector<const void*>& tensors, int count, float* values) {
  const std::size_t stride = values_per_image(outputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Output& output = outputs[i];
    for (int image = 0; image < count; ++image) {
      const auto* from = static_cast<const std::byte*>(tensors[i]) + output.bytes() * image;
      if (output.is_half) {
        halves_to_floats(reinterpret_cast<const std::uint16_t*>(from), output.values(), values + stride * image);
      } else {
        std::memcpy(values + stride * image, from, output.bytes());
      }
    }
    values += output.values();
  }
}

}  // namespace tinynet
