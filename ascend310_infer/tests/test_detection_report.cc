// Objects in each format and on pictures, with odd names, errors and existing files.
#include <png.h>

#include <nlohmann/json.hpp>

#include "detection_report.h"
#include "helpers.h"

namespace tinynet {
namespace {

namespace fs = std::filesystem;

// Two anchors in an input of 16 pixels and two classes: boxes, then scores.
const std::vector<float> kTwoObjects{0, 4, 8, 16, 2.5f, 0, 16, 8, 0.1f, 0.15f, 0.75f, 0.6f, 0.4f, 0};
const std::vector<float> kNothing{0, 4, 8, 16, 2.5f, 0, 16, 8, 1, 0, 0, 1, 0, 0};

Options to(const fs::path& output, Format format) {
  Options options;
  options.output = output;
  options.format = format;
  return options;
}

using Results = std::vector<std::pair<ImageFile, Result>>;

std::string written(Options options, const Results& results, std::vector<std::string> names = {"cat", "dog, \"big\""}) {
  const Folder folder;
  options.output = folder / "out";
  const auto report = open_detection_report(options, detector(16, 2, 2), {}, std::move(names));
  for (const auto& [image, result] : results) report->add(image, result);
  report->close();
  return text_of_file(folder / "out");
}

const Results kResults{{{"x/a.jpg", "a.jpg"}, {0, "", kTwoObjects, 32, 24}},
                       {{"b,\n.jpg", "b,\n.jpg"}, {1, "", kNothing, 7, 5}},
                       {{"c.jpg", "c.jpg"}, {2, "bad, really", {}}}};

TEST(DetectionReport, TextNamesWhatIsSure) {
  EXPECT_EQ(written(to("", Format::kText), kResults),
            "x/a.jpg: dog, \"big\" 75.0% at 0 6 16 18\nb,\\n.jpg: no objects\n");
  Options options = to("", Format::kText);
  options.show_score = 0.2;
  expect_part(written(options, kResults), " at 0 6 16 18, cat 40.0% at 5 0 27 12\n");
}

TEST(DetectionReport, JsonHasAllObjectsInPixelsOfTheImage) {
  const auto json = nlohmann::json::parse(written(to("", Format::kJson), kResults));
  ASSERT_EQ(json.size(), 3u);
  const auto expected = nlohmann::json::parse(R"({"image": "x/a.jpg", "width": 32, "height": 24, "objects": [
      {"class": 1, "name": "dog, \"big\"", "score": 0.75, "bbox": [0.0, 6.0, 16.0, 18.0]},
      {"class": 0, "name": "cat", "score": 0.4000000059604645, "bbox": [5.0, 0.0, 27.0, 12.0]},
      {"class": 0, "name": "cat", "score": 0.15000000596046448, "bbox": [0.0, 6.0, 16.0, 18.0]}]})");
  EXPECT_EQ(json[0], expected);
  EXPECT_EQ(json[1].at("objects"), nlohmann::json::array());
  EXPECT_EQ(json[2], nlohmann::json::parse(R"({"image": "c.jpg", "error": "bad, really"})"));
}

TEST(DetectionReport, CsvHasALineForEachObjectAndEachImageWithoutAny) {
  EXPECT_EQ(written(to("", Format::kCsv), kResults),
            "image,image_width,image_height,rank,class,name,score,x,y,width,height,error\n"
            "x/a.jpg,32,24,1,1,\"dog, \"\"big\"\"\",0.75,0.0,6.0,16.0,18.0,\n"
            "x/a.jpg,32,24,2,0,cat,0.4000000059604645,5.0,0.0,27.0,12.0,\n"
            "x/a.jpg,32,24,3,0,cat,0.15000000596046448,0.0,6.0,16.0,18.0,\n"
            "\"b,\n.jpg\",7,5,,,,,,,,,\n"
            "c.jpg,,,,,,,,,,,\"bad, really\"\n");
}

TEST(DetectionReport, FlagsReplaceTheRuleOfTheDescription) {
  Options options = to("", Format::kJson);
  const auto objects = [&] { return nlohmann::json::parse(written(options, kResults))[0].at("objects").size(); };
  EXPECT_EQ(objects(), 3u);
  options.min_score = 0.2;
  EXPECT_EQ(objects(), 2u);
  options.max_objects = 1;
  EXPECT_EQ(objects(), 1u);
}

Bytes gray(int side) { return png(side, side, PNG_COLOR_TYPE_GRAY, 8, Bytes(side * side, 9)); }

TEST(DetectionReport, PicturesHaveTheSizeOfTheirImagesAndNamesOfTheirOwn) {
  const Folder folder;
  const std::vector<ImageFile> images{{folder.write("x/a.png", gray(40)), "a.png"},
                                      {folder.write("y/a.png", gray(20)), "a.png"},
                                      {folder / "none.png", "none.png"}};
  Options options = to(folder / "out", Format::kText);
  options.draw = folder / "new/drawn";
  const auto report = open_detection_report(options, detector(16, 2, 2), images,
                                            {"cat",
                                             "Gr\xc3\xbc\xc3\x9f"
                                             "e"});
  report->add(images[0], {0, "", kTwoObjects, 40, 40});
  report->add(images[1], {1, "", kNothing, 20, 20});
  report->add(images[2], {2, "cannot be read", {}});
  report->close();
  Image drawn, plain;
  decode(read_file(folder / "new/drawn/a.png.png"), drawn);
  decode(read_file(folder / "new/drawn/a.png-2.png"), plain);
  EXPECT_EQ(drawn.width, 40);
  EXPECT_EQ(rgb(plain), Bytes(1200, 9));
  const std::uint8_t* corner = drawn.row(39) + 4;  // of the frame: the color of the second class
  EXPECT_EQ(Bytes(corner, corner + 3), (Bytes{255, 127, 14}));
  EXPECT_FALSE(fs::exists(folder / "new/drawn/none.png"));
}

TEST(DetectionReport, WhatIsThereIsNotReplaced) {
  const Folder folder;
  folder.write("full/x", "x");
  Options options = to("", Format::kText);
  options.draw = folder / "full";
  const auto open = [&] { open_detection_report(options, detector(16, 2, 2), {}, {"a", "b"}); };
  EXPECT_EQ(error_of<UserError>(open),
            (folder / "full").string() + " exists already; give another --draw or remove it");
}

TEST(DetectionReport, AnImageThatHasVanishedIsNamed) {
  const Folder folder;
  Options options = to(folder / "out", Format::kText);
  options.draw = folder / "drawn";
  const std::vector<ImageFile> images{{folder / "gone.png", "gone.png"}};
  const auto report = open_detection_report(options, detector(16, 2, 2), images, {"a", "b"});
  expect_part(error_of<UserError>([&] { report->add(images[0], {0, "", kTwoObjects, 40, 40}); }),
              "gone.png has changed, and cannot be drawn: cannot be read");
}

}  // namespace
}  // namespace tinynet
