// The command line: defaults, all flags, and mistakes.
#include <cstdlib>

#include "helpers.h"
#include "options.h"

namespace tinynet {
namespace {

std::optional<Options> parsed(std::vector<const char*> words) {
  words.insert(words.begin(), "tinynet_infer");
  return parse_options(static_cast<int>(words.size()), words.data());
}

std::string refused(std::vector<const char*> words) {
  words.insert(words.begin(), {"--model_path", "m.onnx", "--dataset_path", "x.jpg"});
  return error_of<UserError>([&] { parsed(words); });
}

TEST(Options, DefaultsFollowTheModel) {
  const auto onnx = parsed({"--model_path", "a/m.onnx", "x.jpg", "y"});
  EXPECT_EQ(onnx->device, Device::kCpu);
  EXPECT_EQ(onnx->description, "a/m.json");
  EXPECT_EQ(onnx->images, (std::vector<std::filesystem::path>{"x.jpg", "y"}));
  EXPECT_EQ(onnx->batch, 0);
  EXPECT_FALSE(onnx->top_k);
  EXPECT_GE(onnx->threads, 1);
  EXPECT_EQ(parsed({"--mindir_path", "m.mindir", "x"})->device, Device::kAscend);
}

TEST(Options, AllFlagsAreRead) {
  const auto it = parsed({"--mindir_path=m.mindir",
                          "--dataset_path",
                          "images",
                          "--device-type",
                          "cpu",
                          "--device_id",
                          "3",
                          "--batch_size",
                          "8",
                          "--threads",
                          "2",
                          "--top_k",
                          "1",
                          "--labels",
                          "l.txt",
                          "--output",
                          "out",
                          "--format",
                          "BIN",
                          "--timing",
                          "t.json",
                          "--warmup",
                          "4",
                          "--config_file",
                          "c.ini",
                          "--aipp-path",
                          "a-b.cfg",
                          "--precision_mode=x-y",
                          "--ort_lib",
                          "lib.so",
                          "--description",
                          "d.json"});
  EXPECT_EQ(it->device, Device::kCpu);
  EXPECT_EQ(it->device_id, 3);
  EXPECT_EQ(it->batch, 8);
  EXPECT_EQ(it->threads, 2);
  EXPECT_EQ(it->top_k, 1);
  EXPECT_EQ(it->labels, "l.txt");
  EXPECT_EQ(it->output, "out");
  EXPECT_EQ(it->format, Format::kBin);
  EXPECT_EQ(it->timing, "t.json");
  EXPECT_EQ(it->warmup, 4);
  EXPECT_EQ(it->config, "c.ini");
  EXPECT_EQ(it->aipp, "a-b.cfg");
  EXPECT_EQ(it->precision, "x-y");
  EXPECT_EQ(it->onnxruntime, "lib.so");
  EXPECT_EQ(it->description, "d.json");
}

TEST(Options, ABadValueIsNamedWithItsFlag) {
  const struct {
    const char *flag, *value;
  } bad[] = {{"--device_type", "GPU"}, {"--device_id", "-1"}, {"--device_id", "x"},    {"--batch_size", "-1"},
             {"--batch_size", "5000"}, {"--threads", "0"},    {"--threads", "2.5"},    {"--top_k", "0"},
             {"--format", "xml"},      {"--warmup", "-1"},    {"--warmup", "9999999"}, {"--top_k", ""}};
  for (const auto& [flag, value] : bad) {
    const std::string error = refused({flag, value});
    expect_part(error, flag);
    expect_part(error, value);
  }
}

TEST(Options, ThoseOfADetectorReplaceItsRule) {
  const auto it = parsed({"--model_path", "m.onnx", "x", "--min_score", "0.3", "--nms-overlap=0.5", "--candidates",
                          "20", "--max_objects", "7", "--show_score", "0.4", "--draw", "d"});
  const Rule rule = overridden({0.01, 300, 0.55, 100}, *it);
  EXPECT_EQ(rule.text(),
            "score > 0.3, best 20 pairs of anchor and class of an image, NMS of IoU 0.5 within a class, 7 objects");
  EXPECT_EQ(it->show_score, 0.4);
  EXPECT_EQ(it->draw, "d");
  EXPECT_EQ(overridden(rule, *parsed({"--model_path", "m.onnx", "x"})).text(), rule.text());
  for (const char* flag : {"--min_score=1", "--min_score=-0.1", "--nms_overlap=0", "--nms_overlap=1.1",
                           "--candidates=0", "--max_objects=100001", "--show_score=2", "--draw="}) {
    EXPECT_FALSE(refused({flag}).empty());
  }
}

TEST(Options, FlagsOfTheOtherTaskAreRefused) {
  const auto error = [](Task task, std::vector<const char*> flags) {
    flags.insert(flags.begin(), {"--model_path", "m.onnx", "x", "--output", "o"});
    const auto options = parsed(flags);
    check_flags(*options, task == Task::kDetection ? Task::kClassification : Task::kDetection);
    return error_of<UserError>([&] { check_flags(*options, task); });
  };
  for (const std::string flag :
       {"--min_score=0.1", "--candidates=3", "--nms_overlap=0.5", "--max_objects=3", "--show_score=0.1", "--draw=x"}) {
    EXPECT_EQ(error(Task::kClassification, {flag.c_str()}),
              flag.substr(0, flag.find('=')) + " is for a detector, but m.onnx is a classifier; leave the flag out");
  }
  EXPECT_EQ(error(Task::kDetection, {"--top_k=5"}),
            "--top_k is for a classifier, but m.onnx is a detector; leave the flag out");
  expect_part(error(Task::kDetection, {"--format=bin"}), "--format bin is for a classifier");
}

TEST(Options, OtherMistakes) {
  EXPECT_EQ(refused({"--no-such-flag"}), "unknown flag '--no_such_flag'; --help lists all flags");
  expect_part(refused({"--format", "3"}), "not in {text,json,csv,bin}");
  expect_part(refused({"--threads"}), "--threads");
  expect_part(refused({"--format", "bin"}), "name a new one with --output");
  expect_part(error_of<UserError>([] { parsed({"x.jpg"}); }), "--model_path");
  expect_part(refused({"--top_k", "1\n2"}), "--top_k");
}

TEST(Options, AFlagWithTwoValuesIsRefused) {
  EXPECT_EQ(refused({"--top_k", "1", "--top-k=2"}), "--top_k is given twice, as 1 and 2; leave one of them out");
  expect_part(refused({"--mindir_path", "n.onnx"}), "--model_path is given twice, as m.onnx and n.onnx");
  EXPECT_EQ(parsed({"--model_path", "m.onnx", "x", "--top_k=3", "--top_k", "3", "--dataset_path", "y"})->top_k, 3);
}

TEST(Options, APathMayBeginWithTheHomeFolder) {
  setenv("HOME", "/home/somebody", 1);
  const auto it =
      parsed({"--model_path", "~/m.onnx", "~", "~/x", "a/~", "~no-user/x", "--output=~/o", "--labels", "~/l"});
  EXPECT_EQ(it->model, "/home/somebody/m.onnx");
  EXPECT_EQ(it->description, "/home/somebody/m.json");
  EXPECT_EQ(it->output, "/home/somebody/o");
  EXPECT_EQ(it->labels, "/home/somebody/l");
  EXPECT_EQ(it->images,
            (std::vector<std::filesystem::path>{"/home/somebody", "/home/somebody/x", "a/~", "~no-user/x"}));
}

TEST(Options, AnEmptyPathIsRefused) {
  for (const char* flag : {"--model_path", "--dataset_path", "--description", "--labels", "--output", "--timing",
                           "--ort_lib", "--config_file", "--aipp_path"}) {
    const std::string expected = std::string(flag) + ": expected a path; an empty text is none";
    expect_part(refused({flag, ""}), expected);
    expect_part(refused({(std::string(flag) + "=").c_str()}), expected);
  }
  expect_part(refused({""}), "expected a path; an empty text is none");
}

TEST(Options, HelpIsPrintedAndNothingElse) {
  testing::internal::CaptureStdout();
  EXPECT_FALSE(parsed({"--help"}));
  const std::string text = testing::internal::GetCapturedStdout();
  for (const char* flag : {"--model_path", "--dataset_path", "--aipp_path", "--precision_mode"})
    expect_part(text, flag);
}

}  // namespace
}  // namespace tinynet
