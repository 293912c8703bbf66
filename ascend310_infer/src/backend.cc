#include "backend.h"

#include "errors.h"

namespace tinynet {

std::unique_ptr<Backend> open_backend(const Options& options) {
  const std::string suffix = options.model.extension().string();
  if (suffix == ".onnx") {
    if (options.device == Device::kAscend) {
      throw UserError("--device_type is Ascend, but " + options.model.string() +
                      " is an ONNX file, which runs on the CPU; export.py --file_format MINDIR writes one for Ascend");
    }
    return open_onnxruntime(options);
  }
  if (suffix == ".mindir") {
#ifdef TINYNET_WITH_LITE
    return open_mindspore_lite(options);
#else
    throw UserError(options.model.string() +
                    " needs MindSpore Lite, which this program was built without; set LITE_HOME to its folder and run "
                    "build.sh, or take an ONNX file on the CPU");
#endif
  }
  throw UserError("--model_path is " + options.model.string() + "; expected a .mindir or .onnx file of export.py");
}

}  // namespace tinynet
