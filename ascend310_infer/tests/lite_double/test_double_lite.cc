// TEST DOUBLE of libmindspore-lite.so: the part of MindSpore Lite's C++ API that the program calls.
// It runs no network. A "model" is a text file with lines KEY=VALUE:
//   input=-1,3,8,8   shape, -1 is open            type=float32   or uint8, int32
//   output=-1,4      shapes separated by ;, -1 is the batch    output_type=float32   or float16, int32
//   gears=1;4        the answer to GetModelInfo("dynamic_dims"); Resize refuses other batches
//   inputs=1  missing_bytes=0                     fail=Build   or Resize, Predict
// Of an output with n values, value c of an image is the sum of its inputs c, c + n, c + 2 n, ... All calls are logged
// to MODEL.calls.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include "include/api/context.h"
#include "include/api/model.h"

namespace mindspore {
namespace {

using Lengths = std::vector<int64_t>;

std::string text(const std::vector<char>& characters) { return {characters.begin(), characters.end()}; }

Status failure(const std::string& why) { return Status(kLiteError, "TEST DOUBLE: " + why); }

Lengths numbers(const std::string& list, char separator = ',') {
  Lengths found;
  std::istringstream stream(list);
  for (std::string word; std::getline(stream, word, separator);) found.push_back(std::stoll(word));
  return found;
}

enum DataType type_named(const std::string& name) {
  if (name == "float16") return DataType::kNumberTypeFloat16;
  if (name == "uint8") return DataType::kNumberTypeUInt8;
  return name == "int32" ? DataType::kNumberTypeInt32 : DataType::kNumberTypeFloat32;
}

size_t bytes_of(enum DataType type) {
  if (type == DataType::kNumberTypeUInt8) return 1;
  return type == DataType::kNumberTypeFloat16 ? 2 : 4;
}

uint16_t half(float value) {  // exact for whole numbers up to 2048
  if (value == 0) return 0;
  int exponent = 0;
  const float fraction = std::frexp(std::abs(value), &exponent);
  return static_cast<uint16_t>((value < 0 ? 0x8000 : 0) | ((exponent + 14) << 10) |
                               (static_cast<int>(fraction * 2048) - 1024));
}

}  // namespace

struct Status::Data {
  enum StatusCode code = kSuccess;
  std::vector<char> message;
};
Status::Status() : data_(std::make_shared<Data>()) {}
Status::Status(enum StatusCode code, const std::vector<char>& message)
    : data_(std::make_shared<Data>(Data{code, message})) {}
bool Status::IsOk() const { return data_->code == kSuccess; }
std::vector<char> Status::ToCString() const { return data_->message; }

struct Context::Data {
  int threads = 0;
  std::vector<std::shared_ptr<DeviceInfoContext>> devices;
};
Context::Context() : data_(std::make_shared<Data>()) {}
void Context::SetThreadNum(int32_t threads) { data_->threads = threads; }
int32_t Context::GetThreadNum() const { return data_->threads; }
std::vector<std::shared_ptr<DeviceInfoContext>>& Context::MutableDeviceInfo() { return data_->devices; }

struct DeviceInfoContext::Data {
  uint32_t id = 0;
  std::vector<char> precision, aipp;
};
DeviceInfoContext::DeviceInfoContext() : data_(std::make_shared<Data>()) {}
void AscendDeviceInfo::SetDeviceID(uint32_t id) { data_->id = id; }
uint32_t AscendDeviceInfo::GetDeviceID() const { return data_->id; }
void AscendDeviceInfo::SetPrecisionMode(const std::vector<char>& mode) { data_->precision = mode; }
std::vector<char> AscendDeviceInfo::GetPrecisionModeChar() const { return data_->precision; }
void AscendDeviceInfo::SetInsertOpConfigPath(const std::vector<char>& path) { data_->aipp = path; }
std::vector<char> AscendDeviceInfo::GetInsertOpConfigPathChar() const { return data_->aipp; }

class MSTensor::Impl {
 public:
  Lengths shape;
  enum DataType type = mindspore::DataType::kTypeUnknown;
  std::vector<char> data;  // empty while the shape is open
};
MSTensor::MSTensor() = default;
MSTensor::MSTensor(const std::shared_ptr<Impl>& impl) : impl_(impl) {}
MSTensor::~MSTensor() = default;
enum DataType MSTensor::DataType() const { return impl_->type; }
const Lengths& MSTensor::Shape() const { return impl_->shape; }
size_t MSTensor::DataSize() const { return impl_->data.size(); }
void* MSTensor::MutableData() { return impl_->data.empty() ? nullptr : impl_->data.data(); }
std::shared_ptr<const void> MSTensor::Data() const { return {impl_, impl_->data.data()}; }

class ModelImpl {
 public:
  void log(const std::string& line) {
    pending_ += line + "\n";
    if (path_.empty()) return;
    std::ofstream(path_ + ".calls", std::ios::app) << pending_;
    pending_.clear();
  }

  void open(const std::string& path) {
    path_ = path;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      const size_t equals = line.find('=');
      if (equals != std::string::npos) values_[line.substr(0, equals)] = line.substr(equals + 1);
    }
    set_shape(numbers(get("input", "-1,3,8,8")));
  }

  std::string get(const std::string& key, const std::string& otherwise) const {
    const auto found = values_.find(key);
    return found == values_.end() ? otherwise : found->second;
  }

  bool fails(const std::string& step) const { return get("fail", "") == step; }

  void set_shape(const Lengths& shape) {  // a new tensor, so that use of an old one fails
    input = std::make_shared<MSTensor::Impl>();
    input->shape = shape;
    input->type = type_named(get("type", "float32"));
    size_t bytes = bytes_of(input->type);
    for (const int64_t length : shape) bytes *= length > 0 ? static_cast<size_t>(length) : 0;
    input->data.resize(bytes ? bytes - std::stoul(get("missing_bytes", "0")) : 0);
  }

  std::vector<MSTensor> compute() const {
    std::vector<MSTensor> outputs;
    std::istringstream shapes(get("output", "-1,4"));
    for (std::string shape; std::getline(shapes, shape, ';');) outputs.emplace_back(compute(numbers(shape)));
    return outputs;
  }

  std::shared_ptr<MSTensor::Impl> compute(const Lengths& shape) const {
    const auto batch = static_cast<size_t>(input->shape[0]);
    auto output = std::make_shared<MSTensor::Impl>();
    output->type = type_named(get("output_type", "float32"));
    output->shape = shape;
    for (int64_t& length : output->shape) length = length < 0 ? input->shape[0] : length;
    size_t classes = 1;
    for (size_t i = 1; i < shape.size(); ++i) classes *= static_cast<size_t>(shape[i]);
    const size_t values = input->data.size() / bytes_of(input->type) / batch;
    output->data.resize(batch * classes * bytes_of(output->type));
    for (size_t image = 0; image < batch; ++image) {
      std::vector<float> logits(classes);
      for (size_t i = 0; i < values; ++i) logits[i % classes] += value(image * values + i);
      for (size_t c = 0; c < classes; ++c) store(*output, image * classes + c, logits[c]);
    }
    return output;
  }

  size_t black_images() const {  // the number of all-zero images at the end: padding
    const auto batch = static_cast<size_t>(input->shape[0]);
    const size_t bytes = input->data.size() / batch;
    size_t black = 0;
    while (black < batch) {
      const char* image = &input->data[(batch - black - 1) * bytes];
      if (std::any_of(image, image + bytes, [](char byte) { return byte != 0; })) break;
      ++black;
    }
    return black;
  }

  std::shared_ptr<MSTensor::Impl> input;
  std::atomic<bool> running{false};

 private:
  float value(size_t index) const {
    if (input->type == DataType::kNumberTypeUInt8) return static_cast<unsigned char>(input->data[index]);
    float number = 0;
    std::memcpy(&number, &input->data[index * sizeof number], sizeof number);
    return number;
  }

  static void store(MSTensor::Impl& tensor, size_t index, float number) {
    if (tensor.type == DataType::kNumberTypeFloat16) {
      const uint16_t bits = half(number);
      std::memcpy(&tensor.data[index * sizeof bits], &bits, sizeof bits);
    } else {
      std::memcpy(&tensor.data[index * sizeof number], &number, sizeof number);
    }
  }

  std::string path_, pending_;
  std::map<std::string, std::string> values_;
};

Model::Model() : impl_(std::make_shared<ModelImpl>()) {}
Model::~Model() = default;

Status Model::LoadConfig(const std::vector<char>& path) {
  impl_->log("LoadConfig " + text(path));
  std::ifstream file(text(path));
  std::string first;
  std::getline(file, first);
  return first == "fail" ? failure("told to fail\nat LoadConfig") : Status();
}

Status Model::Build(const std::vector<char>& path, ModelType, const std::shared_ptr<Context>& context) {
  impl_->open(text(path));
  std::string line = "Build with " + std::to_string(context->GetThreadNum()) + " threads on";
  for (const auto& device : context->MutableDeviceInfo()) {
    if (const auto ascend = device->Cast<AscendDeviceInfo>()) {
      line += " Ascend " + std::to_string(ascend->GetDeviceID()) + " precision=" + ascend->GetPrecisionMode() +
              " aipp=" + ascend->GetInsertOpConfigPath();
    } else {
      line += device->GetDeviceType() == kCPU ? " CPU" : " something else";
    }
  }
  impl_->log(line);
  return impl_->fails("Build") ? failure("told to fail\nat Build") : Status();
}

std::vector<char> Model::GetModelInfo(const std::vector<char>& key) {
  const std::string gears = text(key) == "dynamic_dims" ? impl_->get("gears", "") : "";
  return {gears.begin(), gears.end()};
}

std::vector<MSTensor> Model::GetInputs() {
  impl_->log("GetInputs");
  return std::vector<MSTensor>(std::stoul(impl_->get("inputs", "1")), MSTensor(impl_->input));
}

Status Model::Resize(const std::vector<MSTensor>& inputs, const std::vector<Lengths>& shapes) {
  impl_->log("Resize " + std::to_string(shapes[0][0]));
  const Lengths gears = numbers(impl_->get("gears", ""), ';');
  const bool known = gears.empty() || std::count(gears.begin(), gears.end(), shapes[0][0]);
  if (impl_->fails("Resize") || !known || inputs.size() != shapes.size()) return failure("no such batch");
  impl_->set_shape(shapes[0]);
  return Status();
}

Status Model::Predict(const std::vector<MSTensor>& inputs, std::vector<MSTensor>* outputs, const MSKernelCallBack&,
                      const MSKernelCallBack&) {
  if (impl_->running.exchange(true)) return failure("two calls at once");
  impl_->log("Predict " + std::to_string(impl_->input->shape[0]) + ", black " + std::to_string(impl_->black_images()));
  Status status = impl_->fails("Predict") ? failure("told to fail\nat Predict") : Status();
  if (inputs.size() != 1 || inputs[0].impl() != impl_->input) status = failure("a tensor from before Resize");
  if (status.IsOk()) *outputs = impl_->compute();
  impl_->running = false;
  return status;
}

}  // namespace mindspore
