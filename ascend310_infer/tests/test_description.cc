// The JSON file of a model: what is read, and which mistakes are named.
#include <nlohmann/json.hpp>

#include "description.h"
#include "helpers.h"

namespace tinynet {
namespace {

nlohmann::json example() {
  return {{"model", "tinynet_c"},
          {"num_classes", 2},
          {"classes", {"cat", "dog"}},
          {"preprocess",
           {{"resize", {{"short_side", 9}}},
            {"crop", {{"size", 8}}},
            {"mean", {0.1, 0.2, 0.3}},
            {"std", {0.4, 0.5, 0.6}}}}};
}

Description read(const nlohmann::json& json) {
  const Folder folder;
  return read_description(folder.write("net.json", json.dump()));
}

std::string refused(const std::string& place, const nlohmann::json& value) {
  nlohmann::json json = example();
  json[nlohmann::json::json_pointer(place)] = value;
  return error_of<UserError>([&] { read(json); });
}

TEST(Description, AllOfItIsRead) {
  const Description it = read(example());
  EXPECT_EQ(it.model, "tinynet_c");
  EXPECT_EQ(it.size, 8);
  EXPECT_EQ(it.short_side, 9);
  EXPECT_EQ(it.mean, (std::array{0.1, 0.2, 0.3}));
  EXPECT_EQ(it.std, (std::array{0.4, 0.5, 0.6}));
  EXPECT_EQ(it.num_classes, 2);
  EXPECT_EQ(it.classes, (std::vector<std::string>{"cat", "dog"}));
}

TEST(Description, AMissingKeyIsNamed) {
  for (const std::string place :
       {"/model", "/num_classes", "/classes", "/preprocess", "/preprocess/resize", "/preprocess/resize/short_side",
        "/preprocess/crop", "/preprocess/crop/size", "/preprocess/mean", "/preprocess/std"}) {
    nlohmann::json json = example();
    const nlohmann::json::json_pointer pointer(place);
    json[pointer.parent_pointer()].erase(pointer.back());
    const std::string error = error_of<UserError>([&] { read(json); });
    expect_part(error, "'" + pointer.back() + "'");
    expect_part(error, "net.json does not describe a model");
  }
}

TEST(Description, AnUnfitValueIsNamed) {
  expect_part(refused("/preprocess/crop/size", 7), "preprocess.crop.size is 7, not 8 to 4096");
  expect_part(refused("/preprocess/resize/short_side", 7), "preprocess.resize.short_side is 7");
  expect_part(refused("/preprocess/std", {1, 0, 1}), "preprocess.std must be above 0");
  expect_part(refused("/num_classes", 0), "num_classes is 0");
  expect_part(refused("/classes", {"cat"}), "1 classes are named, num_classes is 2");
}

TEST(Description, AnUnfitTypeIsNamed) {
  expect_part(refused("/model", 5), "model");
  expect_part(refused("/num_classes", "two"), "num_classes");
  expect_part(refused("/num_classes", 2.5), "num_classes");
  expect_part(refused("/num_classes", 1e300), "num_classes");
  expect_part(refused("/preprocess/crop/size", "x"), "preprocess.crop.size");
  expect_part(refused("/preprocess/mean", "x"), "preprocess.mean");
  expect_part(refused("/preprocess/mean", {1, 2}), "preprocess.mean");
  expect_part(refused("/preprocess/mean", {1, 2, 3, 4}), "preprocess.mean");
  expect_part(refused("/classes", {1, 2}), "classes");
  EXPECT_FALSE(refused("", 5).empty());
}

nlohmann::json detector_example() {
  nlohmann::json json = example();
  json["task"] = "detection";
  json["outputs"] = nlohmann::json::parse(R"([{"name": "boxes", "shape": ["batch", 6, 4], "type": "float32"},
                                              {"name": "scores", "shape": ["batch", 6, 3], "type": "float32"}])");
  json["preprocess"] = nlohmann::json::parse(R"({"mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6], "scale": 0.1,
      "resize": {"width": 32, "height": 32, "interpolation": "bilinear", "antialias": true}})");
  json["postprocess"] = {{"min_score", 0.02}, {"candidates", 30}, {"nms_overlap", 0.5}, {"max_objects", 10}};
  return json;
}

std::string refused_detector(const std::string& place, const nlohmann::json& value) {
  nlohmann::json json = detector_example();
  json[nlohmann::json::json_pointer(place)] = value;
  return error_of<UserError>([&] { read(json); });
}

TEST(Description, ThatOfADetectorHasOutputsAndARule) {
  EXPECT_EQ(read(example()).task, Task::kClassification);
  const Description it = read(detector_example());
  EXPECT_EQ(it.task, Task::kDetection);
  EXPECT_EQ(it.size, 32);
  EXPECT_EQ(it.anchors, 6);
  EXPECT_EQ(it.num_classes, 2);
  EXPECT_EQ(it.rule.min_score, 0.02);
  EXPECT_EQ(it.rule.candidates, 30);
  EXPECT_EQ(it.rule.nms_overlap, 0.5);
  EXPECT_EQ(it.rule.max_objects, 10);
}

TEST(Description, WhatADetectorLacksIsNamed) {
  for (const std::string place : {"/outputs", "/postprocess", "/postprocess/min_score", "/preprocess/resize/width",
                                  "/preprocess/resize/antialias"}) {
    nlohmann::json json = detector_example();
    const nlohmann::json::json_pointer pointer(place);
    json[pointer.parent_pointer()].erase(pointer.back());
    expect_part(error_of<UserError>([&] { read(json); }), "'" + pointer.back() + "'");
  }
}

TEST(Description, WhatDoesNotFitADetectorIsNamed) {
  expect_part(refused_detector("/task", "segmentation"), "task is segmentation; expected detection");
  expect_part(refused_detector("/outputs", nlohmann::json::array()), "outputs.0.name");
  expect_part(refused_detector("/outputs/0/name", "scores"), "expected boxes and scores");
  expect_part(refused_detector("/outputs/0/shape", {"batch", 6, 5}), "outputs must be boxes of [batch, anchors, 4]");
  expect_part(refused_detector("/outputs/1/shape", {"batch", 7, 3}), "scores of [batch, anchors, num_classes + 1]");
  expect_part(refused_detector("/num_classes", 3), "scores of [batch, anchors, num_classes + 1]");
  expect_part(refused_detector("/outputs/1/shape", {"batch"}), "outputs.1.shape.1");
  expect_part(refused_detector("/preprocess/resize/width", 5000), "preprocess.resize.width is 5000, not 8 to 4096");
  expect_part(refused_detector("/preprocess/resize/height", 16), "preprocess.resize.height must equal its width");
  expect_part(refused_detector("/preprocess/resize/interpolation", "bicubic"), "preprocess.resize is bicubic");
  expect_part(refused_detector("/postprocess/nms_overlap", 0), "NMS of IoU 0 within a class");
  expect_part(refused_detector("/postprocess/candidates", 1.5), "postprocess.candidates");
}

TEST(Description, OtherFilesAreRefused) {
  const Folder folder;
  expect_part(error_of<UserError>([&] { read_description(folder / "none.json"); }), "No such file");
  expect_part(error_of<UserError>([&] { read_description(folder.path); }), "Is a directory");
  expect_part(error_of<UserError>([&] { read_description("/dev/zero"); }),
              "/dev/zero is a device; give a file or a pipe");
  expect_part(error_of<UserError>([&] { read_description(folder.write("a.json", "not\njson")); }), "a.json");
  EXPECT_FALSE(error_of<UserError>([&] { read_description(folder.write("b.json", "")); }).empty());
}

TEST(Description, ClassesAreNamedByLabelsElseTheModelElseNumbers) {
  const Folder folder;
  Description it = description(8, 9, 2);
  EXPECT_EQ(class_names(it, {}), (std::vector<std::string>{"0", "1"}));
  it.classes = {"cat", "dog"};
  EXPECT_EQ(class_names(it, {}), it.classes);
  EXPECT_EQ(class_names(it, folder.write("l.txt", "Katze\r\nHund\r\n")), (std::vector<std::string>{"Katze", "Hund"}));
  EXPECT_EQ(class_names(it, folder.write("m.txt", "a\nb")), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(class_names(it, folder.write("o.txt", "\xef\xbb\xbfV\xc3\xb6gel \r\n\xe9\xb1\xbc\t\r\n")),
            (std::vector<std::string>{"V\xc3\xb6gel", "\xe9\xb1\xbc"}));
  EXPECT_EQ(class_names(it, folder.write("p.txt", "a\rb\r")), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(class_names(it, folder.write("q.txt", "\n\n")), (std::vector<std::string>{"", ""}));
  const auto refused = [&](const std::string& text) {
    return error_of<UserError>([&] { class_names(it, folder.write("n.txt", text)); });
  };
  expect_part(refused("\xff\xfe"
                      "a"),
              "n.txt is in UTF-16; save it as UTF-8");
  expect_part(refused("a\nV\xf6gel\n"), "n.txt: line 2 is not UTF-8; save the file as UTF-8");
  expect_part(refused("dog\ncat\n"), "names the classes of the weights in another order");
  const std::string error = refused("a\nb\nc\n");
  expect_part(error, "names 3 classes, the weights have 2; expected one name a line");
  EXPECT_FALSE(error_of<UserError>([&] { class_names(it, folder / "none.txt"); }).empty());
}

}  // namespace
}  // namespace tinynet
