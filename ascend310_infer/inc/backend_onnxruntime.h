// ONNX files with ONNX Runtime on the CPU.
#pragma once

#include <filesystem>
#include <memory>

#include "backend.h"

namespace tinynet {

struct OnnxRuntimeSettings {
  std::filesystem::path model;
  Task task = Task::kClassification;
  std::filesystem::path library;  // empty: see onnxruntime_library.h
  int batch = 0;                  // --batch_size; 0: the model's own, else 1
  int threads = 1;                // maximum number of simultaneous calls of run()
};

// Throws UserError if the library or the model cannot be opened, or if the model has not the outputs of the task.
std::unique_ptr<Backend> open_onnxruntime(const OnnxRuntimeSettings& settings);

}  // namespace tinynet
