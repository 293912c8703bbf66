// Libraries that cannot be used. The system tests run models with the real one.
#include "helpers.h"
#include "onnxruntime_library.h"

namespace tinynet {
namespace {

std::string refused(const std::string& library) {
  return error_of<UserError>([&] { open_onnxruntime_library(library); });
}

TEST(OnnxRuntimeLibrary, AMissingFileIsNamed) {
  expect_part(refused("/nowhere/libonnxruntime.so"), "ONNX Runtime cannot be opened (/nowhere/libonnxruntime.so: ");
}

TEST(OnnxRuntimeLibrary, AnotherLibraryIsNamed) {
  expect_part(refused("libm.so.6"), "libm.so.6 is not ONNX Runtime; pip install onnxruntime");
}

TEST(OnnxRuntimeLibrary, AnOldVersionIsNamed) {
  expect_part(refused(OLD_ONNXRUNTIME), " is ONNX Runtime 1.17.3; the program needs 1.18 or newer");
}

}  // namespace
}  // namespace tinynet
