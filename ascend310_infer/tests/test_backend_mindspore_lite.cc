// The calls to MindSpore Lite, their order and shapes, on the test double of lite_double/.
// The double computes no network and has no Ascend, so these tests prove nothing about either.
#include <cstring>
#include <sstream>

#include "backend.h"
#include "helpers.h"
#include "options.h"

namespace tinynet {
namespace {

using Lines = std::vector<std::string>;

class Lite : public testing::Test {
 protected:
  std::unique_ptr<Backend> open(const std::string& model, Device device = Device::kCpu) {
    options_.model = folder_.write("m.mindir", model);
    options_.device = device;
    options_.threads = 3;
    return open_backend(options_, task_);
  }

  std::string refused(const std::string& model, Device device = Device::kCpu) {
    return error_of<UserError>([&] { open(model, device); });
  }

  Lines calls() {  // since the last call of calls()
    std::istringstream log(text_of_file(folder_ / "m.mindir.calls"));
    Lines lines;
    for (std::string line; std::getline(log, line);) lines.push_back(line);
    lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(seen_));
    seen_ += lines.size();
    return lines;
  }

  // Runs `count` different images and compares the logits with those that the double must compute.
  template <typename T>
  void expect_right(Backend& backend, int count) {
    const InputSpec input = backend.input();
    const std::size_t values = input.bytes_per_image() / sizeof(T);
    const auto classes = static_cast<std::size_t>(backend.outputs().at(0).shape[0]);
    std::vector<std::byte> images(input.bytes_per_image() * input.batch, std::byte{0x55});
    std::vector<float> expected(classes * count), found(classes * count + 1, -7);
    for (int image = 0; image < count; ++image) {
      for (std::size_t i = 0; i < values; ++i) {
        const T value = static_cast<T>(i % 5 + image + 1);
        std::memcpy(&images[image * input.bytes_per_image() + i * sizeof(T)], &value, sizeof value);
        expected[image * classes + i % classes] += static_cast<float>(value);
      }
    }
    backend.run(images.data(), count, found.data());
    EXPECT_EQ(found.back(), -7);  // run() writes nothing after the logits
    found.pop_back();
    EXPECT_EQ(found, expected);
  }

  Folder folder_;
  Options options_;
  Task task_ = Task::kClassification;
  std::size_t seen_ = 0;
};

TEST_F(Lite, TheConfigurationComesFirstThenOneBlackBatch) {
  options_.config = folder_.write("lite.ini", "[ascend_context]\n");
  options_.batch = 2;
  const auto backend = open("input=-1,3,8,8");
  EXPECT_EQ(calls(), (Lines{"LoadConfig " + options_.config.string(), "Build with 3 threads on CPU", "GetInputs",
                            "GetInputs", "Resize 2", "GetInputs", "Predict 2, black 2"}));
  EXPECT_EQ(backend->name(), "MindSpore Lite, CPU");
  EXPECT_EQ(backend->input().batch, 2);
  EXPECT_EQ(backend->input().size, 8);
  EXPECT_EQ(backend->outputs().at(0).shape.at(0), 4);
  EXPECT_EQ(backend->concurrency(), 1);
  EXPECT_FALSE(backend->offloads());
}

TEST_F(Lite, ABatchIsSetOnlyWhenItChanges) {
  options_.batch = 4;
  const auto backend = open("input=-1,3,8,8");
  calls();
  for (const int count : {4, 4, 3, 3, 4}) expect_right<float>(*backend, count);
  EXPECT_EQ(calls(), (Lines{"GetInputs", "Predict 4, black 0", "GetInputs", "Predict 4, black 0", "GetInputs",
                            "Resize 3", "GetInputs", "Predict 3, black 0", "GetInputs", "Predict 3, black 0",
                            "GetInputs", "Resize 4", "GetInputs", "Predict 4, black 0"}));
}

TEST_F(Lite, AFixedBatchIsFilledUpWithBlack) {
  const auto backend = open("input=3,3,8,8\noutput=-1,5");
  EXPECT_EQ(backend->input().batch, 3);
  EXPECT_EQ(backend->outputs().at(0).shape.at(0), 5);
  calls();
  expect_right<float>(*backend, 3);
  expect_right<float>(*backend, 1);
  EXPECT_EQ(calls(), (Lines{"GetInputs", "Predict 3, black 0", "GetInputs", "Predict 3, black 2"}));
}

TEST_F(Lite, TheLastBatchTakesTheLeastGearThatHoldsIt) {
  const auto backend = open("input=-1,3,8,8\ngears=1;4;8", Device::kAscend);
  EXPECT_EQ(backend->input().batch, 8);
  calls();
  for (const int count : {8, 5, 4, 3, 1}) expect_right<float>(*backend, count);
  EXPECT_EQ(calls(), (Lines{"GetInputs", "Predict 8, black 0", "GetInputs", "Predict 8, black 3", "GetInputs",
                            "Resize 4", "GetInputs", "Predict 4, black 0", "GetInputs", "Predict 4, black 1",
                            "GetInputs", "Resize 1", "GetInputs", "Predict 1, black 0"}));
}

TEST_F(Lite, ABatchBetweenGearsIsComputedInALargerOne) {
  options_.batch = 3;
  const auto backend = open("input=-1,3,8,8\ngears=1;4;8", Device::kAscend);
  EXPECT_EQ(backend->input().batch, 3);
  calls();
  expect_right<float>(*backend, 3);
  EXPECT_EQ(calls(), (Lines{"GetInputs", "Predict 4, black 1"}));
  options_.batch = 9;
  expect_part(refused("input=-1,3,8,8\ngears=1;4;8", Device::kAscend), "compiled for at most 8");
}

TEST_F(Lite, AnAscendIsSetUp) {
  options_.device_id = 2;
  options_.precision = "preferred_fp32";
  options_.aipp = folder_.write("aipp.cfg", "aipp_op {}");
  const auto backend = open("input=1,8,8,3\ntype=uint8", Device::kAscend);
  EXPECT_EQ(calls()[0], "Build with 3 threads on Ascend 2 precision=preferred_fp32 aipp=" + options_.aipp.string());
  EXPECT_EQ(backend->name(), "MindSpore Lite, Ascend 2");
  EXPECT_TRUE(backend->offloads());
}

TEST_F(Lite, PixelsAreTakenByAModelThatNormalizes) {
  for (const char* model : {"input=-1,8,8,3\ntype=uint8", "input=-1,3,8,8\ntype=uint8"}) {
    options_.batch = 2;
    const auto backend = open(model, Device::kAscend);
    EXPECT_EQ(backend->input().type, ElementType::kUInt8);
    EXPECT_EQ(backend->input().size, 8);
    expect_right<std::uint8_t>(*backend, 2);
    expect_right<std::uint8_t>(*backend, 1);
  }
  expect_part(refused("input=-1,3,8,8\ntype=uint8"), "its input [-1, 3, 8, 8] of uint8 is neither");
}

TEST_F(Lite, HalfPrecisionOutputsAreRead) {
  const auto backend = open("input=2,3,8,8\noutput_type=float16");
  expect_right<float>(*backend, 2);
  expect_right<float>(*backend, 1);
}

TEST_F(Lite, AModelOfAnotherShapeIsRefused) {
  for (const char* input : {"1,3,8,9", "1,1,8,8", "1,8,8,3", "1,3,-1,-1", "192", "1,3,8,8,8"}) {
    expect_part(refused(std::string("input=") + input), "is neither float32 [batch, 3, size, size] nor uint8");
  }
  expect_part(refused("input=1,3,8,8\ntype=int32"), "its input [1, 3, 8, 8] of type 34");
  expect_part(refused("input=1,3,8,8\ninputs=2"), "takes 2 inputs; expected one");
  expect_part(refused("input=1,3,8,8\ninputs=0"), "takes 0 inputs");
  expect_part(refused("input=1,3,8,8\noutput="), "has no output");
  for (const char* output : {"-1,4,1,1", "7,4", "4"}) {
    expect_part(refused(std::string("input=1,3,8,8\noutput=") + output), "is not float32 or float16 [1, classes]");
  }
  expect_part(refused("input=1,3,8,8\noutput_type=int32"), "its output [1, 4] of type 34 is not");
  expect_part(refused("input=2,3,8,8\nmissing_bytes=4"), "has room for 1532 bytes, 2 images need 1536");
}

TEST_F(Lite, BothOutputsOfADetectorAreRead) {
  task_ = Task::kDetection;
  const auto backend = open("input=-1,3,8,8\noutput=-1,2,4;-1,2,3\ngears=1;2", Device::kAscend);
  const std::vector<Output> outputs = backend->outputs();
  EXPECT_EQ(outputs.at(0).shape, (std::vector<int>{2, 4}));
  EXPECT_EQ(outputs.at(1).shape, (std::vector<int>{2, 3}));
  std::vector<float> images(2 * 192), values(2 * 14);
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(i % 192 % 24 + i / 192);
  backend->run(reinterpret_cast<std::byte*>(images.data()), 2, values.data());
  // Of the values 0..23 and again, sums of every eighth and every sixth; the second image has 1 more in each.
  const std::vector<float> expected{192, 216, 240, 264, 288, 312, 336, 360, 288, 320, 352, 384, 416, 448,
                                    216, 240, 264, 288, 312, 336, 360, 384, 320, 352, 384, 416, 448, 480};
  EXPECT_EQ(values, expected);
}

TEST_F(Lite, OutputsOfAnotherTaskAreRefused) {
  task_ = Task::kDetection;
  expect_part(refused("input=1,3,8,8"), "has one output; a detector has two");
  expect_part(refused("input=1,3,8,8\noutput=-1,2,4;-1,3,3"), "is not float32 or float16 [1, 2, classes + 1]");
  task_ = Task::kClassification;
  expect_part(refused("input=1,3,8,8\noutput=-1,2,4;-1,2,3"), "is not float32 or float16 [1, classes]");
}

TEST_F(Lite, WhatLiteRefusesIsOneLine) {
  expect_part(refused("fail=Build"),
              "cannot load " + (folder_ / "m.mindir").string() + " on CPU: TEST DOUBLE: told to fail at Build; ");
  expect_part(refused("fail=Build", Device::kAscend), "set_env.sh");
  expect_part(refused("fail=Resize"), "to 1: TEST DOUBLE: no such batch; give a --batch_size");
  expect_part(refused("fail=Predict"), "told to fail at Predict");
  options_.config = folder_.write("lite.ini", "fail");
  expect_part(refused(""),
              "cannot read --config_file " + options_.config.string() + ": TEST DOUBLE: told to fail at Load");
}

TEST_F(Lite, FlagsAreChecked) {
  options_.config = folder_ / "none.ini";
  expect_part(refused(""), "--config_file is " + options_.config.string() + ", which is not a file");
  options_ = {};
  options_.precision = "enforce_fp16";
  expect_part(refused(""), "are for Ascend, --device_type is CPU");
  options_.precision = "fp16";
  expect_part(refused("", Device::kAscend), "--precision_mode is fp16; expected one of enforce_fp32, preferred_fp32");
  options_ = {};
  options_.aipp = folder_ / "none.cfg";
  expect_part(refused("", Device::kAscend), "--aipp_path is");
  options_ = {};
  options_.batch = 4;
  expect_part(refused("input=2,3,8,8"), "--batch_size is 4, ");
  options_.model = folder_ / "none.mindir";
  expect_part(error_of<UserError>([&] { open_backend(options_, task_); }), "there is no model");
}

}  // namespace
}  // namespace tinynet
