// The choice of a back end by suffix, device and flags.
#include "backend.h"
#include "helpers.h"
#include "options.h"

namespace tinynet {
namespace {

std::string refused(const Options& options) {
  return error_of<UserError>([&] { open_backend(options, Task::kClassification); });
}

Options options(const std::string& model, Device device = Device::kCpu) {
  Options it;
  it.model = model;
  it.device = device;
  return it;
}

TEST(Backend, AnUnsupportedCombinationIsRefused) {
  expect_part(refused(options("m.onnx", Device::kAscend)), "m.onnx is an ONNX file, which runs on the CPU");
#ifndef TINYNET_WITH_LITE
  expect_part(refused(options("m.mindir")), "m.mindir needs MindSpore Lite, which this program was built without");
#endif
}

TEST(Backend, AFileThatIsNoModelIsRefused) {
  const Folder folder;
  for (const char* name : {"m.ckpt", "m.onnx"}) folder.write(name, "x");
  check_model(folder / "m.onnx");
  expect_part(error_of<UserError>([&] { check_model(folder / "m.ckpt"); }), "m.ckpt; expected a .mindir or .onnx file");
  for (const char* name : {"n.onnx", "n.mindir"}) {
    expect_part(error_of<UserError>([&] { check_model(folder / name); }),
                "there is no model " + (folder / name).string());
  }
  std::filesystem::create_directory(folder / "folder.onnx");
  expect_part(error_of<UserError>([&] { check_model(folder / "folder.onnx"); }), "there is no model");
}

TEST(Backend, FlagsOfMindSporeLiteAreRefusedForAnOnnxFile) {
  Options it = options("m.onnx");
  it.config = "lite.ini";
  expect_part(refused(it), "--config_file");
  it = options("m.onnx");
  it.aipp = "aipp.cfg";
  expect_part(refused(it), "--aipp_path");
  it = options("m.onnx");
  it.precision = "enforce_fp32";
  expect_part(refused(it), "--precision_mode");
}

}  // namespace
}  // namespace tinynet
