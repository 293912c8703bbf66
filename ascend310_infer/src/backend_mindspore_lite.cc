// MINDIR files through MindSpore Lite's cloud-side C++ API, on the CPU or an Ascend.
#if __has_include("include/api/model.h")
#include "include/api/context.h"
#include "include/api/model.h"
#else
#include "include/cxx_api/context.h"
#include "include/cxx_api/model.h"
#endif

#include <algorithm>
#include <cstring>

#include "backend.h"
#include "errors.h"
#include "gears.h"
#include "half.h"

namespace tinynet {
namespace {

namespace fs = std::filesystem;
namespace ms = mindspore;

constexpr const char* kPrecisions[] = {"enforce_fp32", "preferred_fp32", "enforce_fp16", "enforce_origin",
                                       "preferred_optimal"};

std::string text_of(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t length : shape) text += (text.empty() ? "" : ", ") + std::to_string(length);
  return "[" + text + "]";
}

std::string text_of(ms::DataType type) {
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

void require(const ms::Status& status, const std::string& what, const std::string& advice) {
  if (status.IsOk()) return;
  std::string text = status.ToString();
  std::replace(text.begin(), text.end(), '\n', ' ');
  throw UserError("MindSpore Lite cannot " + what + ": " + (text.empty() ? "it says not why" : text) + "; " + advice);
}

void require_file(const fs::path& path, const std::string& flag) {
  if (std::error_code error; !path.empty() && !fs::is_regular_file(path, error)) {
    throw UserError(flag + " is " + path.string() + ", where there is no file");
  }
}

std::shared_ptr<ms::DeviceInfoContext> device_info(const Options& options) {
  if (options.device == Device::kCpu) {
    if (!options.precision.empty() || !options.aipp.empty()) {
      throw UserError("--precision_mode and --aipp_path are for Ascend, --device_type is CPU; leave them out");
    }
    return std::make_shared<ms::CPUDeviceInfo>();
  }
  auto info = std::make_shared<ms::AscendDeviceInfo>();
  info->SetDeviceID(static_cast<std::uint32_t>(options.device_id));
  if (!options.precision.empty()) {
    if (std::find(std::begin(kPrecisions), std::end(kPrecisions), options.precision) == std::end(kPrecisions)) {
      std::string allowed;
      for (const char* precision : kPrecisions) allowed += (allowed.empty() ? "" : ", ") + std::string(precision);
      throw UserError("--precision_mode is " + options.precision + "; expected one of " + allowed);
    }
    info->SetPrecisionMode(options.precision);
  }
  require_file(options.aipp, "--aipp_path");
  if (!options.aipp.empty()) info->SetInsertOpConfigPath(options.aipp.string());
  return info;
}

class MindSporeLite : public Backend {
 public:
  explicit MindSporeLite(const Options& options)
      : file_(options.model.string()),
        device_(options.device == Device::kAscend ? "Ascend " + std::to_string(options.device_id) : "CPU"),
        offloads_(options.device == Device::kAscend) {
    build(options);
    read_input();
    gears_ = parse_gears(model_.GetModelInfo("dynamic_dims"));
    if (open_batch() || !gears_.empty()) {
      spec_.batch = batch_for(options.batch, gears_);
    } else {
      spec_.batch = static_cast<int>(shape_[0]);
    }
    if (!open_batch() && gears_.empty() && options.batch && options.batch != spec_.batch) {
      throw UserError("--batch_size is " + std::to_string(options.batch) + ", " + file_ + " takes " +
                      std::to_string(spec_.batch) +
                      " images at once; leave the flag out, or export with --batch_size 0");
    }
    read_output();
  }

  InputSpec input() const override { return spec_; }
  int num_classes() const override { return classes_; }
  int concurrency() const override { return 1; }  // a Model refuses a call while another is under way
  bool offloads() const override { return offloads_; }
  std::string name() const override { return "MindSpore Lite, " + device_; }

  void run(std::byte* images, int count, float* logits) override {
    const ms::MSTensor output = predict(images, count);
    const std::size_t values = std::size_t{1} * count * classes_;
    const std::shared_ptr<const void> data = output.Data();  // of a device's tensor a copy
    if (output.DataType() == ms::DataType::kNumberTypeFloat32) {
      std::memcpy(logits, data.get(), values * sizeof(float));
    } else {
      halves_to_floats(static_cast<const std::uint16_t*>(data.get()), values, logits);
    }
  }

 private:
  bool open_batch() const { return shape_[0] < 1; }

  void build(const Options& options) {
    if (std::error_code error; !fs::is_regular_file(options.model, error))
      throw UserError("there is no model " + file_);
    const auto context = std::make_shared<ms::Context>();
    context->SetThreadNum(options.threads);
    context->MutableDeviceInfo().push_back(device_info(options));
    require_file(options.config, "--config_file");
    if (!options.config.empty()) {
      require(model_.LoadConfig(options.config.string()), "read --config_file " + options.config.string(),
              "MindSpore Lite's documents describe its sections");
    }
    require(model_.Build(file_, ms::kMindIR, context), "load " + file_ + " on " + device_,
            offloads_ ? "is it a MINDIR for this chip, and has CANN's set_env.sh been sourced?"
                      : "is it a MINDIR of export.py? One that was converted for Ascend runs only there");
  }

  void read_input() {
    const std::vector<ms::MSTensor> inputs = model_.GetInputs();
    if (inputs.size() != 1) {
      throw UserError(file_ + " takes " + std::to_string(inputs.size()) + " inputs; expected one, a batch of images");
    }
    shape_ = inputs[0].Shape();
    const bool floats = inputs[0].DataType() == ms::DataType::kNumberTypeFloat32;
    const bool bytes = inputs[0].DataType() == ms::DataType::kNumberTypeUInt8;
    const bool planes = shape_.size() == 4 && shape_[1] == 3 && shape_[2] == shape_[3] && shape_[2] > 0;
    const bool pixels = shape_.size() == 4 && shape_[3] == 3 && shape_[1] == shape_[2] && shape_[1] > 0;
    // AIPP takes packed pixels, also where the shape is still that of the network behind it.
    if (!(floats && planes) && !(bytes && (pixels || (planes && offloads_)))) {
      throw UserError(file_ + ": its input " + text_of(shape_) + " of " + text_of(inputs[0].DataType()) +
                      " is neither float32 [batch, 3, size, size] nor uint8 [batch, size, size, 3]");
    }
    spec_.type = floats ? ElementType::kFloat32 : ElementType::kUInt8;
    spec_.size = static_cast<int>(shape_[2]);
    if (shape_[0] > 0) resized_to_ = static_cast<int>(shape_[0]);
  }

  // Outputs may be of unknown shape until the first call, so there is one on a black batch.
  void read_output() {
    std::vector<std::byte> black(spec_.bytes_per_image() * spec_.batch);
    const ms::MSTensor output = predict(black.data(), spec_.batch);
    const std::vector<std::int64_t>& shape = output.Shape();
    const bool floats = output.DataType() == ms::DataType::kNumberTypeFloat32;
    if ((!floats && output.DataType() != ms::DataType::kNumberTypeFloat16) || shape.size() != 2 ||
        shape[0] != resized_to_ || shape[1] < 1) {
      throw UserError(file_ + ": its output " + text_of(shape) + " of " + text_of(output.DataType()) +
                      " is not float32 or float16 [" + std::to_string(resized_to_) + ", classes]");
    }
    classes_ = static_cast<int>(shape[1]);
  }

  ms::MSTensor predict(const std::byte* images, int count) {
    resize(open_batch() || !gears_.empty() ? gear_for(count, gears_) : spec_.batch);
    std::vector<ms::MSTensor> inputs = model_.GetInputs();  // not those from before Resize
    const std::size_t filled = spec_.bytes_per_image() * count, bytes = spec_.bytes_per_image() * resized_to_;
    void* target = inputs.empty() ? nullptr : inputs[0].MutableData();
    if (!target || inputs[0].DataSize() != bytes) {
      throw UserError(file_ + ": its input has room for " + std::to_string(target ? inputs[0].DataSize() : 0) +
                      " bytes, " + std::to_string(resized_to_) + " images need " + std::to_string(bytes));
    }
    std::memcpy(target, images, filled);
    std::memset(static_cast<std::byte*>(target) + filled, 0, bytes - filled);
    std::vector<ms::MSTensor> outputs;
    require(model_.Predict(inputs, &outputs), "run " + file_ + " on " + device_, "its own messages may say more");
    if (outputs.empty()) throw UserError(file_ + " has no output");
    const std::size_t value = outputs[0].DataType() == ms::DataType::kNumberTypeFloat32 ? sizeof(float) : 2;
    if (classes_ && (outputs[0].DataSize() < value * classes_ * resized_to_ || !outputs[0].Data())) {
      throw UserError(file_ + ": its output has " + std::to_string(outputs[0].DataSize()) + " bytes, " +
                      std::to_string(resized_to_) + " images of " + std::to_string(classes_) + " classes have more");
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
  std::vector<std::int64_t> shape_;  // of the input as the file has it; -1: open
  std::vector<int> gears_;
  InputSpec spec_;
  int classes_ = 0;
  int resized_to_ = 0;  // batch that the model is set to; 0: none yet
};

}  // namespace

std::unique_ptr<Backend> open_mindspore_lite(const Options& options) {
  return std::make_unique<MindSporeLite>(options);
}

}  // namespace tinynet
