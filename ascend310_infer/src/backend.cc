#include "backend.h"

#include "errors.h"

namespace tinynet {
namespace {

void refuse_lite_flags(const Options& options) {
  const auto refuse = [&](const char* flag, const std::string& value) {
    if (value.empty()) return;
    throw UserError(std::string(flag) + " is " + value + ", which is for MindSpore Lite; " + options.model.string() +
                    " is an ONNX file, leave the flag out");
  };
  refuse("--config_file", options.config.string());
  refuse("--aipp_path", options.aipp.string());
  refuse("--precision_mode", options.precision);
}

}  // namespace

std::unique_ptr<Backend> open_backend(const Options& options) {
  const std::string suffix = options.model.extension().string();
  if (suffix == ".onnx") {
    if (options.device == Device::kAscend) {
      throw UserError("--device_type is Ascend, but " + options.model.string() +
                      " is an ONNX file, which runs on the CPU; export.py --file_format MINDIR writes one for Ascend");
    }
    refuse_lite_flags(options);
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
