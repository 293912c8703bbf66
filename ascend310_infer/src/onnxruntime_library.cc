#include "onnxruntime_library.h"

#include <dlfcn.h>
#include <glob.h>

#include <cstdlib>
#include <vector>

#include "errors.h"
#include "onnxruntime_cxx_api.h"

namespace tinynet {
namespace {

namespace fs = std::filesystem;

// The oldest release that pyproject.toml allows. Later releases provide every earlier version of the API.
constexpr std::uint32_t kApiVersion = 18;

constexpr const char* kHowToGet =
    "pip install onnxruntime, or name the library with --ort_lib FILE or ORT_LIB=FILE (libonnxruntime.so...)";
constexpr const char* kInEnvironment = "/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so*";

std::vector<std::string> python_environments() {
  std::vector<std::string> roots;
  if (const char* active = std::getenv("VIRTUAL_ENV")) roots.push_back(active);
  std::error_code error;
  for (fs::path folder = fs::read_symlink("/proc/self/exe", error); folder.has_relative_path();) {
    folder = folder.parent_path();
    roots.push_back(folder / ".venv");
  }
  return roots;
}

std::vector<std::string> candidates(const fs::path& named) {
  if (!named.empty()) return {named};
  if (const char* environment = std::getenv("ORT_LIB")) return {environment};
  std::vector<std::string> found;
  for (const std::string& root : python_environments()) {
    glob_t matches{};
    if (glob((root + kInEnvironment).c_str(), 0, nullptr, &matches) == 0) {
      found.insert(found.end(), matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
    }
    globfree(&matches);
  }
  found.insert(found.end(), {"libonnxruntime.so.1", "libonnxruntime.so"});
  return found;
}

}  // namespace

std::string open_onnxruntime_library(const fs::path& named) {
  void* library = nullptr;
  std::string name, reason;
  for (const std::string& candidate : candidates(named)) {
    library = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library) {
      name = candidate;
      break;
    }
    reason = dlerror();
  }
  if (!library) throw UserError("ONNX Runtime cannot be opened (" + reason + "); " + kHowToGet);
  const auto get_base = reinterpret_cast<decltype(&OrtGetApiBase)>(dlsym(library, "OrtGetApiBase"));
  if (!get_base) throw UserError(name + " is not ONNX Runtime; " + kHowToGet);
  const std::string version = get_base()->GetVersionString();
  const OrtApi* api = get_base()->GetApi(kApiVersion);
  if (!api) throw UserError(name + " is ONNX Runtime " + version + "; the program needs 1.18 or newer");
  Ort::InitApi(api);
  return version;
}

}  // namespace tinynet
