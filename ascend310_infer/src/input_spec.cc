#include "input_spec.h"

#include <algorithm>

#include "errors.h"

namespace tinynet {

std::string TensorInfo::text() const {
  std::string lengths;
  for (const std::int64_t length : shape) lengths += (lengths.empty() ? "" : ", ") + std::to_string(length);
  return "[" + lengths + "] of " + type;
}

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
    throw UserError(model + ": its input " + input.text() +
                    " is neither float32 [batch, 3, size, size] nor uint8 [batch, size, size, 3]");
  }
  InputSpec spec;
  spec.type = floats ? ElementType::kFloat32 : ElementType::kUInt8;
  spec.size = static_cast<int>(shape[2]);
  return spec;
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
