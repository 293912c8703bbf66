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
    read_outputs(settings.task);
  }

  InputSpec input() const override { return spec_; }
  std::vector<Output> outputs() const override { return outputs_; }
  int concurrency() const override { return 1; }  // a Model refuses a second call at once
  bool offloads() const override { return offloads_; }
  std::string name() const override { return "MindSpore Lite, " + device_; }

  void run(std::byte* images, int count, float* values) override {
    const std::vector<ms::MSTensor> results = predict(images, count);
    std::vector<std::shared_ptr<const void>> memory;  // copies if the tensors are on a device
    std::vector<const void*> tensors;
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      memory.push_back(checked_data(results, i));
      tensors.push_back(memory.back().get());
    }
    gather(outputs_, tensors, count, values);
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

  // Runs one black batch, because the outputs may have no shape before the first call.
  void read_outputs(Task task) {
    std::vector<std::byte> black(spec_.bytes_per_image() * spec_.batch);
    std::vector<TensorInfo> found;
    for (const ms::MSTensor& tensor : predict(black.data(), spec_.batch)) found.push_back(tensor_info(tensor));
    outputs_ = check_outputs(file_, task, found, resized_to_);
  }

  // Returns the memory of an output. Throws UserError if it is too small for the batch.
  std::shared_ptr<const void> checked_data(const std::vector<ms::MSTensor>& results, std::size_t i) const {
    const std::size_t needed = outputs_[i].bytes() * resized_to_,
                      found = i < results.size() ? results[i].DataSize() : 0;
    std::shared_ptr<const void> data = found < needed ? nullptr : results[i].Data();
    if (!data) {
      throw UserError(file_ + ": its output " + std::to_string(i) + " has " + std::to_string(found) + " bytes, " +
                      std::to_string(resized_to_) + " images need " + std::to_string(needed));
    }
    return data;
  }

  std::vector<ms::MSTensor> predict(const std::byte* images, int count) {
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
    return outputs;
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
  std::vector<Output> outputs_;
  int resized_to_ = 0;  // current batch of the model; 0: not set yet
};

}  // namespace

std::unique_ptr<Backend> open_mindspore_lite(const MindSporeLiteSettings& settings) {
  return std::make_unique<MindSporeLite>(settings);
}

}  // namespace tinynet
