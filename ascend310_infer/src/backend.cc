#include "backend.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "backend_mindspore_lite.h"
#include "backend_onnxruntime.h"
#include "errors.h"
#include "options.h"

namespace tinynet {
namespace {

void refuse_lite_flags(const Options& options) {
  const auto refuse = [&](const char* flag, const std::string& value) {
    if (value.empty()) return;
    throw UserError(std::string(flag) + " is " + value + ", but this flag is for MindSpore Lite and " +
                    options.model.string() + " is an ONNX file; leave the flag out");
  };
  refuse("--config_file", options.config.string());
  refuse("--aipp_path", options.aipp.string());
  refuse("--precision_mode", options.precision);
}

std::unique_ptr<Backend> open_onnx(const Options& options, Task task) {
  if (options.device == Device::kAscend) {
    throw UserError("--device_type is Ascend, but " + options.model.string() +
                    " is an ONNX file, which runs on the CPU; write a MINDIR with export.py --file_format MINDIR");
  }
  refuse_lite_flags(options);
  return open_onnxruntime({options.model, task, options.onnxruntime, options.batch, options.threads});
}

std::unique_ptr<Backend> open_mindir(const Options& options, [[maybe_unused]] Task task) {
#ifdef TINYNET_WITH_LITE
  const bool ascend = options.device == Device::kAscend;
  return open_mindspore_lite({options.model, task, ascend, options.device_id, options.batch, options.threads,
                              options.config, options.aipp, options.precision});
#else
  throw UserError(options.model.string() +
                  " needs MindSpore Lite, which this program was built without; set LITE_HOME to its folder and run "
                  "build.sh, or use an ONNX file on the CPU");
#endif
}

}  // namespace

void check_model(const std::filesystem::path& model) {
  if (model.extension() != ".onnx" && model.extension() != ".mindir") {
    throw UserError("--model_path is " + model.string() + "; expected a .mindir or .onnx file of export.py");
  }
  std::error_code error;
  if (!std::filesystem::is_regular_file(model, error)) {
    throw UserError("there is no model " + model.string() + "; export.py writes one from a checkpoint");
  }
  if (access(model.c_str(), R_OK) != 0) {
    throw UserError("cannot read the model " + model.string() + ": " + std::strerror(errno));
  }
}

std::unique_ptr<Backend> open_backend(const Options& options, Task task) {
  return options.model.extension() == ".onnx" ? open_onnx(options, task) : open_mindir(options, task);
}

}  // namespace tinynet
