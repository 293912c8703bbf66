// MINDIR files with MindSpore Lite on the CPU or an Ascend. The source is compiled only if LITE_HOME is set.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "backend.h"

namespace tinynet {

struct MindSporeLiteSettings {
  std::filesystem::path model;
  Task task = Task::kClassification;
  bool ascend = false;                 // else the CPU
  int device_id = 0;                   // of the Ascend
  int batch = 0;                       // --batch_size; 0: the model's own, else 1
  int threads = 1;                     // of MindSpore Lite, for CPU operators
  std::filesystem::path config, aipp;  // empty: none
  std::string precision;               // Ascend's precision mode; empty: MindSpore Lite's default
};

// Throws UserError if the model cannot be opened or has not the outputs of the task, or if a setting is wrong.
std::unique_ptr<Backend> open_mindspore_lite(const MindSporeLiteSettings& settings);

}  // namespace tinynet
