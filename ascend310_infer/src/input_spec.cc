#include "input_spec.h"

#include <algorithm>

#include "errors.h"

namespace tinynet {
namespace {

std::string text_of(const TensorInfo& tensor) {
  std::string text;
  for (const std::int64_t length : tensor.shape) text += (text.empty() ? "" : ", ") + std::to_string(length);
  return "[" + text + "] of " + tensor.type;
}

}  // namespace

void require_model(const std::filesystem::path& path) {
  if (std::error_code error; !std::filesystem::is_regular_file(path, error)) {
    throw UserError("there is no model " + path.string());
  }
}

InputSpec image_input(const std::string& model, const TensorInfo& input, bool has_aipp) {
  const std::vector<std::int64_t>& shape = input.shape;
  const bool floats = input.type == "float32", bytes = input.type == "uint8";
  const bool planes = shape.size() == 4 && shape[1] == 3 && shape[2] == shape[3] && shape[2] > 0;
  const bool pixels = shape.size() == 4 && shape[3] == 3 && shape[1] == shape[2] && shape[1] > 0;
  if (!(floats && planes) && !(bytes && (pixels || (planes && has_aipp)))) {
    throw UserError(model + ": its input " + text_of(input) +
                    " is neither float32 [batch, 3, size, size] nor uint8 [batch, size, size, 3]");
  }
  InputSpec spec;
  spec.type = floats ? ElementType::kFloat32 : ElementType::kUInt8;
  spec.size = static_cast<int>(shape[2]);
  return spec;
}

int class_count(const std::string& model, const TensorInfo& output, int batch) {
  const std::vector<std::int64_t>& shape = output.shape;
  const bool numbers = output.type == "float32" || output.type == "float16";
  if (!numbers || shape.size() != 2 || (batch > 0 && shape[0] != batch) || shape[1] < 1) {
    throw UserError(model + ": its output " + text_of(output) + " is not float32 or float16 [" +
                    (batch > 0 ? std::to_string(batch) : "batch") + ", classes]");
  }
  return static_cast<int>(shape[1]);
}

int max_batch(const std::string& model, std::int64_t fixed, int requested) {
  if (fixed < 1) return std::max(requested, 1);
  if (requested > 0 && requested != fixed) {
    throw UserError("--batch_size is " + std::to_string(requested) + ", " + model + " takes " + std::to_string(fixed) +
                    " images at once; leave the flag out, or export with --batch_size 0");
  }
  return static_cast<int>(fixed);
}

}  // namespace tinynet
