// The order of classes, and each format with odd names, errors and existing files.
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "helpers.h"
#include "report.h"

namespace tinynet {
namespace {

namespace fs = std::filesystem;

const ImageFile kOdd{"a \"b\",\n\xff.jpg", "a \"b\",\n\xff.jpg"};

std::vector<int> best(const std::vector<float>& logits, int count) {
  std::vector<int> order;
  for (const Class& it : top_classes(logits, count)) order.push_back(it.index);
  return order;
}

Options to(const fs::path& output, Format format) {
  Options options;
  options.output = output;
  options.format = format;
  options.top_k = 2;
  return options;
}

std::string written(Format format, const std::vector<std::pair<ImageFile, Result>>& results,
                    std::vector<std::string> names = {"cat", "dog, \"big\"", "cow"}) {
  const Folder folder;
  const auto report = open_report(to(folder / "out", format), {}, std::move(names));
  for (const auto& [image, result] : results) report->add(image, result);
  report->close();
  return text_of_file(folder / "out");
}

TEST(Report, TheLikeliestClassesWithTheirSoftmax) {
  const std::vector<Class> top = top_classes({0, std::log(2.0f), std::log(5.0f)}, 2);
  ASSERT_EQ(top.size(), 2u);
  EXPECT_EQ(top[0].index, 2);
  EXPECT_NEAR(top[0].probability, 0.625, 1e-7);
  EXPECT_NEAR(top[1].probability, 0.25, 1e-7);
}

TEST(Report, OfEqualClassesTheFirst) {
  EXPECT_EQ(best({1, 2, 2, 1, 2}, 4), (std::vector<int>{1, 2, 4, 0}));
  EXPECT_EQ(best({3, 3}, 9), (std::vector<int>{0, 1}));
  EXPECT_TRUE(best({}, 5).empty());
}

TEST(Report, LogitsThatAreNoNumbersComeLast) {
  const float nan = std::nanf(""), inf = INFINITY;
  EXPECT_EQ(best({nan, 1, -inf, 2}, 4), (std::vector<int>{3, 1, 0, 2}));
  EXPECT_EQ(best({nan, nan}, 2), (std::vector<int>{0, 1}));
  EXPECT_EQ(best({1, inf, inf}, 2), (std::vector<int>{1, 2}));
  EXPECT_NEAR(top_classes({1e30f, -1e30f}, 1)[0].probability, 1, 1e-12);
  EXPECT_NEAR(top_classes({-inf, 0}, 2)[1].probability, 0, 1e-12);
}

TEST(Report, TextNamesClassesOfGoodImages) {
  EXPECT_EQ(written(Format::kText, {{{"x/a.jpg", "a.jpg"}, {0, "", {0, 9, 0}}}, {{"b.jpg", "b.jpg"}, {1, "bad", {}}}}),
            "x/a.jpg: dog, \"big\" 100.0%, cat 0.0%\n");
}

TEST(Report, JsonIsValidWhateverTheNames) {
  const auto json = nlohmann::json::parse(
      written(Format::kJson, {{kOdd, {0, "", {0, 2, 1}}}, {kOdd, {1, "cut\noff \xfe", {}}}}, {"a\xff", "\"", "c"}));
  ASSERT_EQ(json.size(), 2u);
  EXPECT_EQ(json[0].at("top").size(), 2u);
  EXPECT_EQ(json[0].at("top")[0].at("class"), "\"");
  EXPECT_EQ(json[0].at("top")[0].at("index"), 1);
  EXPECT_EQ(json[0].at("image"), "a \"b\",\n\xef\xbf\xbd.jpg");
  EXPECT_EQ(json[1].at("error"), "cut\noff \xef\xbf\xbd");
  EXPECT_FALSE(json[1].contains("top"));
}

TEST(Report, JsonIsValidWithoutNumbersAndWithoutImages) {
  const auto json = nlohmann::json::parse(written(Format::kJson, {{kOdd, {0, "", {std::nanf(""), 1, 2}}}}));
  EXPECT_EQ(json[0].at("top")[0].at("index"), 2);
  EXPECT_EQ(nlohmann::json::parse(written(Format::kJson, {})), nlohmann::json::array());
}

TEST(Report, CsvIsQuotedWhereItMustBe) {
  EXPECT_EQ(written(Format::kCsv, {{kOdd, {0, "", {0, 800, 0}}}, {{"b", "b"}, {1, "bad, really", {}}}}),
            "image,rank,index,class,probability,error\n"
            "\"a \"\"b\"\",\n\xff.jpg\",1,1,\"dog, \"\"big\"\"\",1,\n"
            "\"a \"\"b\"\",\n\xff.jpg\",2,0,cat,0,\n"
            "b,,,,,\"bad, really\"\n");
}

// Writes a .bin report in which images named bad.* have errors; returns the names of its files.
std::vector<std::string> bin_files(const Folder& folder, const std::vector<ImageFile>& images) {
  const auto report = open_report(to(folder / "out", Format::kBin), images, {});
  for (std::size_t i = 0; i < images.size(); ++i) {
    const bool bad = images[i].name.stem() == "bad";
    report->add(images[i], {i, bad ? "damaged" : "", bad ? std::vector<float>{} : std::vector<float>{1, 2}});
  }
  report->close();
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder / "out")) {
    if (entry.is_regular_file()) found.push_back(entry.path().lexically_relative(folder / "out").string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

TEST(Report, BinFilesKeepFoldersAndNeverReplaceOneAnother) {
  const Folder folder;
  std::vector<ImageFile> images;
  for (const char* name : {"a.jpg", "a.png", "b.c.jpg", "bad.jpg", "sub/a.jpg", "long.name.jpg"}) {
    images.push_back({name, name});
  }
  EXPECT_EQ(bin_files(folder, images),
            (std::vector<std::string>{"a.jpg_0.bin", "a.png_0.bin", "b.c_0.bin", "long.name_0.bin", "sub/a_0.bin"}));
  const std::string bytes = text_of_file(folder / "out/b.c_0.bin");
  float values[2];
  ASSERT_EQ(bytes.size(), sizeof values);
  std::memcpy(values, bytes.data(), sizeof values);
  EXPECT_EQ(values[1], 2);
}

TEST(Report, ABinFileIsNamedTheSameWhetherOthersCanBeReadOrNot) {
  EXPECT_EQ(bin_files(Folder(), {{"bad.jpg", "bad.jpg"}, {"good.jpg", "good.jpg"}, {"good.png", "good.png"}}),
            (std::vector<std::string>{"good.jpg_0.bin", "good.png_0.bin"}));
}

TEST(Report, BinFilesOfOneNameFromManyFoldersAreAllThere) {
  EXPECT_EQ(bin_files(Folder(), {{"x/a.jpg", "a.jpg"}, {"y/a.jpg", "a.jpg"}, {"z/a.jpg", "a.jpg"}}),
            (std::vector<std::string>{"a.jpg-2_0.bin", "a.jpg-3_0.bin", "a.jpg_0.bin"}));
}

TEST(Report, WhatIsThereIsNotReplaced) {
  const Folder folder;
  folder.write("full/x", "x");
  folder.write("file", "x");
  for (const auto& [name, format] : {std::pair{"full", Format::kBin}, {"file", Format::kBin}, {"file", Format::kCsv}}) {
    const Options options = to(folder / name, format);
    expect_part(error_of<UserError>([&] { open_report(options, {}, {}); }), "exists already");
  }
  expect_part(error_of<UserError>([&] { open_report(to(folder / "file/sub", Format::kBin), {}, {}); }),
              "Not a directory");
  expect_part(error_of<UserError>([&] { open_report(to(folder / std::string(300, 'x'), Format::kBin), {}, {}); }),
              "File name too long");
}

TEST(Report, AnUnfinishedReportVanishes) {
  const Folder folder;
  {
    open_report(to(folder / "out", Format::kJson), {}, {"a"})->add({"x", "x"}, {0, "", {1}});
  }
  EXPECT_TRUE(fs::is_empty(folder.path));
}

}  // namespace
}  // namespace tinynet
