#include "backend_onnxruntime.h"

#include <algorithm>

#include "errors.h"
#include "onnxruntime_cxx_api.h"
#include "onnxruntime_library.h"

namespace tinynet {
namespace {

// Calls `function`. An error of ONNX Runtime becomes a UserError of one line.
template <typename Function>
void checked(const Function& function) {
  try {
    function();
  } catch (const Ort::Exception& error) {
    std::string text = error.what();
    std::replace(text.begin(), text.end(), '\n', ' ');
    throw UserError("ONNX Runtime: " + text);
  }
}

std::string name_of(ONNXTensorElementDataType type) {
  switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
      return "float32";
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
      return "float16";
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8:
      return "uint8";
    default:
      return "type " + std::to_string(type);
  }
}

TensorInfo tensor_info(const Ort::TypeInfo& info) {
  if (info.GetONNXType() != ONNX_TYPE_TENSOR) return {"another kind than a tensor", {}};
  const auto tensor = info.GetTensorTypeAndShapeInfo();
  return {name_of(tensor.GetElementType()), tensor.GetShape()};
}

Ort::SessionOptions session_options() {
  Ort::SessionOptions options;
  options.SetGraphOptimizationLevel(ORT_ENABLE_ALL);
  options.SetIntraOpNumThreads(1);  // several calls run at once instead
  options.DisableMemPattern();      // the pattern costs a tenth more memory and gains no speed
  return options;
}

class OnnxRuntime : public Backend {
 public:
  explicit OnnxRuntime(const OnnxRuntimeSettings& settings)
      : version_(open_onnxruntime_library(settings.library)), threads_(settings.threads) {
    require_model(settings.model);
    checked([&] {
      environment_ = Ort::Env(ORT_LOGGING_LEVEL_ERROR, "tinynet");
      session_ = Ort::Session(environment_, settings.model.c_str(), session_options());
      memory_ = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
      read_ports(settings);
    });
  }

  InputSpec input() const override { return spec_; }
  std::vector<Output> outputs() const override { return outputs_; }
  int concurrency() const override { return threads_; }
  bool offloads() const override { return false; }
  std::string name() const override { return "ONNX Runtime " + version_ + ", CPU"; }

  void run(std::byte* images, int count, float* values) override {
    checked([&] {
      std::vector<std::int64_t> shape = shape_;
      if (shape[0] < 1) shape[0] = count;
      const std::size_t bytes = spec_.bytes_per_image() * static_cast<std::size_t>(shape[0]);
      const Ort::Value batch = Ort::Value::CreateTensor(memory_, images, bytes, shape.data(), shape.size(), type_);
      const char* input = input_name_.c_str();
      std::vector<const char*> names;
      for (const std::string& name : output_names_) names.push_back(name.c_str());
      std::vector<Ort::Value> results =
          session_.Run(Ort::RunOptions{nullptr}, &input, &batch, 1, names.data(), names.size());
      std::vector<const void*> tensors;
      for (Ort::Value& result : results) tensors.push_back(result.GetTensorMutableRawData());
      gather(outputs_, tensors, count, values);
    });
  }

 private:
  void read_ports(const OnnxRuntimeSettings& settings) {
    const std::string model = settings.model.string();
    if (session_.GetInputCount() != 1) {
      throw UserError(model + " takes " + std::to_string(session_.GetInputCount()) +
                      " inputs; expected one, a batch of images");
    }
    Ort::AllocatorWithDefaultOptions allocator;
    input_name_ = session_.GetInputNameAllocated(0, allocator).get();
    const Ort::TypeInfo input_type = session_.GetInputTypeInfo(0);
    const TensorInfo input = tensor_info(input_type);
    spec_ = image_input(model, input, false);
    spec_.batch = max_batch(model, input.shape[0], settings.batch);
    shape_ = input.shape;
    type_ = input_type.GetTensorTypeAndShapeInfo().GetElementType();
    std::vector<TensorInfo> found;
    for (std::size_t i = 0; i < session_.GetOutputCount(); ++i)
      found.push_back(tensor_info(session_.GetOutputTypeInfo(i)));
    outputs_ = check_outputs(model, settings.task, found, 0);
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      output_names_.emplace_back(session_.GetOutputNameAllocated(i, allocator).get());
    }
  }

  const std::string version_;
  const int threads_;
  Ort::Env environment_{nullptr};
  Ort::Session session_{nullptr};
  Ort::MemoryInfo memory_{nullptr};
  std::string input_name_;
  std::vector<std::string> output_names_;
  std::vector<std::int64_t> shape_;  // of the input, as the file has it
  ONNXTensorElementDataType type_ = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  InputSpec spec_;
  std::vector<Output> outputs_;
};

}  // namespace

std::unique_ptr<Backend> open_onnxruntime(const OnnxRuntimeSettings& settings) {
  return std::make_unique<OnnxRuntime>(settings);
}

}  // namespace tinynet
