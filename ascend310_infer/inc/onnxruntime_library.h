// ONNX Runtime's shared library, opened at run time so that the program builds without it.
#pragma once

#include <filesystem>
#include <string>

namespace tinynet {

// Opens the library and makes its functions available to the C++ API in onnxruntime_cxx_api.h.
//
// `named` is a file; if empty, the order is: the variable ORT_LIB, the active Python environment, `.venv` in a folder
// above the program, the system. The library stays open until the program ends. Call this before other threads use
// the API. Returns the library's version, such as "1.30.0".
// Throws UserError if no library can be opened, or if it is not ONNX Runtime 1.18 or newer.
std::string open_onnxruntime_library(const std::filesystem::path& named);

}  // namespace tinynet
