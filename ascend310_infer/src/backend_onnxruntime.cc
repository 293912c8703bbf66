// ONNX files on the CPU. The library is opened at run time, so that the program is built without it.
#include <dlfcn.h>
#include <glob.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "backend.h"
#include "errors.h"
#include "half.h"
#include "onnxruntime_api.h"

namespace tinynet {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHowToGet =
    "pip install onnxruntime, or name the library with --ort_lib FILE or ORT_LIB=FILE (libonnxruntime.so...)";
constexpr const char* kInEnvironment = "/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so*";

// The library in the Python environment that is active, else in the project's own (`.venv` above the program).
std::vector<std::string> in_python_environments() {
  std::vector<std::string> roots;
  if (const char* active = std::getenv("VIRTUAL_ENV")) roots.push_back(active);
  std::error_code error;
  for (fs::path folder = fs::read_symlink("/proc/self/exe", error); folder.has_relative_path();) {
    folder = folder.parent_path();
    roots.push_back(folder / ".venv");
  }
  std::vector<std::string> found;
  for (const std::string& root : roots) {
    glob_t matches{};
    if (glob((root + kInEnvironment).c_str(), 0, nullptr, &matches) == 0) {
      found.insert(found.end(), matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
    }
    globfree(&matches);
  }
  return found;
}

void* open_library(const fs::path& named) {
  const char* environment = std::getenv("ORT_LIB");
  std::vector<std::string> candidates;
  if (!named.empty()) {
    candidates = {named};
  } else if (environment) {
    candidates = {environment};
  } else {
    candidates = in_python_environments();
    candidates.insert(candidates.end(), {"libonnxruntime.so.1", "libonnxruntime.so"});
  }
  std::string reason;
  for (const std::string& candidate : candidates) {
    if (void* library = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
    reason = dlerror();
  }
  throw UserError("ONNX Runtime cannot be opened (" + reason + "); " + kHowToGet);
}

// ONNX Runtime's table of functions, called by place; what a function complains of becomes a UserError.
class Api {
 public:
  explicit Api(const fs::path& library) {
    auto* get_base = reinterpret_cast<const ort::ApiBase* (*)()>(dlsym(open_library(library), "OrtGetApiBase"));
    const ort::ApiBase* base = get_base ? get_base() : nullptr;
    table_ = base ? base->get_api(ort::kVersion) : nullptr;
    if (!table_) throw UserError(library.string() + " is not ONNX Runtime; " + kHowToGet);
    version = base->version();
  }

  template <typename... Parameters, typename... Arguments>
  void operator()(ort::Slot<ort::Status*(Parameters...)> slot, const Arguments&... arguments) const {
    if (ort::Status* status = at(slot)(arguments...)) {
      std::string text = at(ort::kGetErrorMessage)(status);
      at(ort::kReleaseStatus)(status);
      std::replace(text.begin(), text.end(), '\n', ' ');
      throw UserError("ONNX Runtime: " + text);
    }
  }

  template <typename Signature>
  Signature* at(ort::Slot<Signature> slot) const {
    return reinterpret_cast<Signature*>(table_[slot.place]);
  }

  std::string version;

 private:
  ort::Table table_ = nullptr;
};

// Something of ONNX Runtime's, released at the end of the scope.
template <typename T>
class Owned {
 public:
  Owned(const Api& api, ort::Slot<void(T*)> release) : api_(api), release_(release) {}
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() {
    if (value_) api_.at(release_)(value_);
  }
  operator T*() const { return value_; }
  T** out() { return &value_; }

 private:
  const Api& api_;
  ort::Slot<void(T*)> release_;
  T* value_ = nullptr;
};

struct Port {
  std::string name;
  int type = 0;
  std::vector<std::int64_t> shape;  // -1: open
};

std::string text_of(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t length : shape) text += (text.empty() ? "[" : ", ") + std::to_string(length);
  return text + "]";
}

class OnnxRuntime : public Backend {
 public:
  explicit OnnxRuntime(const Options& options) : api_(options.onnxruntime), threads_(options.threads) {
    if (std::error_code error; !fs::is_regular_file(options.model, error)) {
      throw UserError("there is no model " + options.model.string());
    }
    api_(ort::kCreateEnv, ort::kErrorLevel, "tinynet", environment_.out());
    Owned<ort::SessionOptions> settings(api_, ort::kReleaseSessionOptions);
    api_(ort::kCreateSessionOptions, settings.out());
    api_(ort::kSetOptimizationLevel, settings, ort::kAllOptimizations);
    api_(ort::kSetIntraOpThreads, settings, 1);  // calls run side by side instead
    api_(ort::kDisableMemPattern, settings);     // a block for all of a call: a tenth more memory, and no faster
    api_(ort::kCreateSession, environment_, options.model.c_str(), settings, session_.out());
    api_(ort::kCreateCpuMemoryInfo, ort::kArenaAllocator, ort::kDefaultMemory, memory_.out());
    read_ports(options);
  }

  InputSpec input() const override { return spec_; }
  int num_classes() const override { return static_cast<int>(output_.shape[1]); }
  int concurrency() const override { return threads_; }
  bool offloads() const override { return false; }
  std::string name() const override { return "ONNX Runtime " + api_.version + ", CPU"; }

  void run(std::byte* images, int count, float* logits) override {
    std::vector<std::int64_t> shape = input_.shape;
    if (shape[0] < 0) shape[0] = count;
    const std::size_t bytes = spec_.bytes_per_image() * static_cast<std::size_t>(shape[0]);
    Owned<ort::Value> batch(api_, ort::kReleaseValue), result(api_, ort::kReleaseValue);
    api_(ort::kCreateTensor, memory_, static_cast<void*>(images), bytes, shape.data(), shape.size(), input_.type,
         batch.out());
    const char *input = input_.name.c_str(), *output = output_.name.c_str();
    const ort::Value* batches[] = {batch};
    api_(ort::kRun, session_, nullptr, &input, batches, std::size_t{1}, &output, std::size_t{1}, result.out());
    void* values = nullptr;
    api_(ort::kTensorData, result, &values);
    const std::size_t values_count = std::size_t{1} * count * num_classes();
    if (output_.type == ort::kFloat) {
      std::memcpy(logits, values, values_count * sizeof(float));
    } else {
      halves_to_floats(static_cast<const std::uint16_t*>(values), values_count, logits);
    }
  }

 private:
  Port port(ort::Slot<ort::Status*(const ort::Session*, std::size_t, ort::Allocator*, char**)> name,
            ort::Slot<ort::Status*(const ort::Session*, std::size_t, ort::TypeInfo**)> type) const {
    Port port;
    ort::Allocator* allocator = nullptr;
    char* text = nullptr;
    api_(ort::kDefaultAllocator, &allocator);
    api_(name, session_, std::size_t{0}, allocator, &text);
    port.name = text;
    api_(ort::kFree, allocator, static_cast<void*>(text));
    Owned<ort::TypeInfo> info(api_, ort::kReleaseTypeInfo);
    api_(type, session_, std::size_t{0}, info.out());
    const ort::ShapeInfo* shape = nullptr;  // belongs to info
    api_(ort::kShapeOfType, info, &shape);
    if (!shape) return port;  // no tensor
    std::size_t rank = 0;
    api_(ort::kElementType, shape, &port.type);
    api_(ort::kRank, shape, &rank);
    port.shape.resize(rank);
    api_(ort::kShape, shape, port.shape.data(), rank);
    return port;
  }

  void read_ports(const Options& options) {
    std::size_t inputs = 0, outputs = 0;
    api_(ort::kInputCount, session_, &inputs);
    api_(ort::kOutputCount, session_, &outputs);
    if (inputs != 1 || outputs < 1) throw UserError(options.model.string() + " takes more than one input");
    input_ = port(ort::kInputName, ort::kInputType);
    output_ = port(ort::kOutputName, ort::kOutputType);
    const std::vector<std::int64_t>& in = input_.shape;
    const bool planes = input_.type == ort::kFloat && in.size() == 4 && in[1] == 3 && in[2] == in[3] && in[2] > 0;
    const bool pixels = input_.type == ort::kUInt8 && in.size() == 4 && in[3] == 3 && in[1] == in[2] && in[1] > 0;
    if (!planes && !pixels) {
      throw UserError(options.model.string() + ": its input " + text_of(in) + " of type " +
                      std::to_string(input_.type) +
                      " is neither float32 [batch, 3, size, size] nor uint8 [batch, size, "
                      "size, 3]");
    }
    if ((output_.type != ort::kFloat && output_.type != ort::kFloat16) || output_.shape.size() != 2 ||
        output_.shape[1] < 1) {
      throw UserError(options.model.string() + ": its output " + text_of(output_.shape) +
                      " is not float32 or float16 [batch, classes]");
    }
    const int fixed = static_cast<int>(in[0]);
    if (fixed > 0 && options.batch && options.batch != fixed) {
      throw UserError("--batch_size is " + std::to_string(options.batch) + ", " + options.model.string() + " takes " +
                      std::to_string(fixed) + " images at once; leave the flag out, or export with --batch_size 0");
    }
    spec_.type = planes ? ElementType::kFloat32 : ElementType::kUInt8;
    spec_.size = static_cast<int>(in[2] == 3 ? in[1] : in[2]);
    spec_.batch = fixed > 0 ? fixed : std::max(options.batch, 1);
  }

  Api api_;
  int threads_;
  Owned<ort::Env> environment_{api_, ort::kReleaseEnv};
  Owned<ort::Session> session_{api_, ort::kReleaseSession};
  Owned<ort::MemoryInfo> memory_{api_, ort::kReleaseMemoryInfo};
  Port input_, output_;
  InputSpec spec_;
};

}  // namespace

std::unique_ptr<Backend> open_onnxruntime(const Options& options) { return std::make_unique<OnnxRuntime>(options); }

}  // namespace tinynet
