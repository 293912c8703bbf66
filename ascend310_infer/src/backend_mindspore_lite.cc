// Uses MindSpore Lite's cloud-side C++ API. Some releases keep its headers in cxx_api instead of api.
#include "backend_mindspore_lite.h"

#if __has_include("include/api/model.h")
#include "include/api/context.h"
#include "include/api/model.h"
#else
#include "include/cxx_api/context.h"
#include "include/cxx_api/model.h"
#endif

#include <algorithm>
#include <cstring>

#include "errors.h"
#include "gears.h"
#include "half.h"

namespace tinynet {
namespace {

namespace fs = std::filesystem;
namespace ms = mindspore;

constexpr const char* kPrecisions[] = {"enforce_fp32", "preferred_fp32", "enforce_fp16", "enforce_origin",
                                       "preferred_optimal"};

std::string name_of(ms::DataType type) {
  switch (type) {
    case ms::DataType::kNumberTypeFloat32:
      return "float32";
    case ms::DataType::kNumberTypeFloat16:
      return "float16";
    case ms::DataType::kNumberTypeUInt8:
      return "uint8";
    default:
      return "type " + std::to_string(static_cast<int>(type));
  }
}

TensorInfo tensor_info(const ms::MSTensor& tensor) { return {name_of(tensor.DataType()), tensor.Shape()}; }

// Throws UserError with the text of `status` unless that is success.
void require(const ms::Status& status, const std::string& action, const std::string& advice) {
  if (status.IsOk()) return;
  std::string text = status.ToString();
  std::replace(text.begin(), text.end(), '\n', ' ');
  throw UserError("MindSpore Lite cannot " + action + ": " + (text.empty() ? "no reason given" : text) + "; " + advice);
}

void require_file(const fs::path& path, const std::string& flag) {
  if (std::error_code error; !path.empty() && !fs::is_regular_file(path, error)) {
    throw UserError(flag + " is " + path.string() + ", which is not a file");
  }
}

void require_precision(const std::string& precision) {
  if (std::find(std::begin(kPrecisions), std::end(kPrecisions), precision) != std::end(kPrecisions)) return;
  std::string allowed;
  for (const char* name : kPrecisions) allowed += (allowed.empty() ? "" : ", ") + std::string(name);
  throw UserError("--precision_mode is " + precision + "; expected one of " + allowed);
}

std::shared_ptr<ms::DeviceInfoContext> cpu(const MindSporeLiteSettings& settings) {
  if (!settings.precision.empty() || !settings.aipp.empty()) {
    throw UserError("--precision_mode and --aipp_path are for Ascend, --device_type is CPU; leave them out");
  }
  return std::make_shared<ms::CPUDeviceInfo>();
}

std::shared_ptr<ms::DeviceInfoContext> ascend(const MindSporeLiteSettings& settings) {
  auto info = std::make_shared<ms::AscendDeviceInfo>();
  info->SetDeviceID(static_cast<std::uint32_t>(settings.device_id));
  if (!settings.precision.empty()) {
    require_precision(settings.precision);
    info->SetPrecisionMode(settings.precision);
  }
  require_file(settings.aipp, "--aipp_path");
  if (!settings.aipp.empty()) info->SetInsertOpConfigPath(settings.aipp.string());
  return info;
}

class MindSporeLite : public Backend {
 public:
  explicit MindSporeLite(const MindSporeLiteSettings& settings)
      : file_(settings.model.string()),
        device_(settings.ascend ? "Ascend " + std::to_string(settings.device_id) : "CPU"),
        offloads_(settings.ascend) {
    require_model(settings.model);
    build(settings);
    read_input();
    gears_ = parse_gears(model_.GetModelInfo("dynamic_dims"));
    spec_.batch = gears_.empty() ? max_batch(file_, shape_[0], settings.batch) : batch_for(settings.batch, gears_);
    read_output();
  }

  InputSpec input() const override { return spec_; }
  int num_classes() const override { return classes_; }
  int concurrency() const override { return 1; }  // a Model refuses a second call at once
  bool offloads() const override { return offloads_; }
  std::string name() const override { return "MindSpore Lite, " + device_; }

  void run(std::byte* images, int count, float* logits) override {
    const ms::MSTensor output = predict(images, count);
    const std::size_t values = std::size_t{1} * count * classes_;
    const std::shared_ptr<const void> data = output.Data();  // a copy if the tensor is on a device
    if (output.DataType() == ms::DataType::kNumberTypeFloat32) {
      std::memcpy(logits, data.get(), values * sizeof(float));
    } else {
      halves_to_floats(static_cast<const std::uint16_t*>(data.get()), values, logits);
    }
  }

 private:
  bool open_batch() const { return shape_[0] < 1; }

  void build(const MindSporeLiteSettings& settings) {
    const auto context = std::make_shared<ms::Context>();
    context->SetThreadNum(settings.threads);
    context->MutableDeviceInfo().push_back(settings.ascend ? ascend(settings) : cpu(settings));
    require_file(settings.config, "--config_file");
    if (!settings.config.empty()) {
      require(model_.LoadConfig(settings.config.string()), "read --config_file " + settings.config.string(),
              "the documentation of MindSpore Lite describes its sections");
    }
    require(model_.Build(file_, ms::kMindIR, context), "load " + file_ + " on " + device_,
            offloads_ ? "is it a MINDIR for this chip, and has CANN's set_env.sh been sourced?"
                      : "is it a MINDIR of export.py? A model converted for Ascend runs only there");
  }

  void read_input() {
    const std::vector<ms::MSTensor> inputs = model_.GetInputs();
    if (inputs.size() != 1) {
      throw UserError(file_ + " takes " + std::to_string(inputs.size()) + " inputs; expected one, a batch of images");
    }
    spec_ = image_input(file_, tensor_info(inputs[0]), offloads_);
    shape_ = inputs[0].Shape();
    if (!open_batch()) resized_to_ = static_cast<int>(shape_[0]);
  }

  // Runs one black batch, because the output may have no shape before the first call.
  void read_output() {
    std::vector<std::byte> black(spec_.bytes_per_image() * spec_.batch);
    classes_ = class_count(file_, tensor_info(predict(black.data(), spec_.batch)), resized_to_);
  }

  ms::MSTensor predict(const std::byte* images, int count) {
    resize(open_batch() || !gears_.empty() ? gear_for(count, gears_) : spec_.batch);
    std::vector<ms::MSTensor> inputs = model_.GetInputs();  // Resize replaces the tensors
    const std::size_t filled = spec_.bytes_per_image() * count, bytes = spec_.bytes_per_image() * resized_to_;
    void* target = inputs.empty() ? nullptr : inputs[0].MutableData();
    if (!target || inputs[0].DataSize() != bytes) {
      throw UserError(file_ + ": its input has room for " + std::to_string(target ? inputs[0].DataSize() : 0) +
                      " bytes, " + std::to_string(resized_to_) + " images need " + std::to_string(bytes));
    }
    std::memcpy(target, images, filled);
    std::memset(static_cast<std::byte*>(target) + filled, 0, bytes - filled);
    std::vector<ms::MSTensor> outputs;
    require(model_.Predict(inputs, &outputs), "run " + file_ + " on " + device_,
            "see the messages of MindSpore Lite above");
    if (outputs.empty()) throw UserError(file_ + " has no output");
    const std::size_t value = outputs[0].DataType() == ms::DataType::kNumberTypeFloat32 ? sizeof(float) : 2;
    if (classes_ && (outputs[0].DataSize() < value * classes_ * resized_to_ || !outputs[0].Data())) {
      throw UserError(file_ + ": its output has " + std::to_string(outputs[0].DataSize()) + " bytes, " +
                      std::to_string(resized_to_) + " images of " + std::to_string(classes_) + " classes need more");
    }
    return outputs[0];
  }

  void resize(int batch) {
    if (batch == resized_to_) return;
    std::vector<std::int64_t> shape = shape_;
    shape[0] = batch;
    require(model_.Resize(model_.GetInputs(), {shape}), "set the batch of " + file_ + " to " + std::to_string(batch),
            "give a --batch_size that the model was converted for");
    resized_to_ = batch;
  }

  const std::string file_, device_;
  const bool offloads_;
  ms::Model model_;
  std::vector<std::int64_t> shape_;  // of the input, as the file has it
  std::vector<int> gears_;
  InputSpec spec_;
  int classes_ = 0;
  int resized_to_ = 0;  // current batch of the model; 0: not set yet
};

}  // namespace

std::unique_ptr<Backend> open_mindspore_lite(const MindSporeLiteSettings& settings) {
  return std::make_unique<MindSporeLite>(settings);
}

}  // namespace tinynet
