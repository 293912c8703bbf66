// The order of images, and files that are complete or absent.
#include <sys/stat.h>

#include <algorithm>

#include "files.h"
#include "helpers.h"

namespace tinynet {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names(const std::vector<fs::path>& paths) {
  std::vector<std::string> found;
  for (const ImageFile& file : list_images(paths).images) found.push_back(file.name.string());
  return found;
}

std::vector<std::string> entries(const fs::path& folder) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(folder)) found.push_back(entry.path().filename().string());
  std::sort(found.begin(), found.end());
  return found;
}

TEST(Files, TheOrderIsThatOfTheirBytesAndHiddenFilesAreIgnored) {  // tests/unit/images/test_folder.py has the same
  const Folder folder;
  for (const char* name :
       {"b.jpg", "B.JPG", "a/2.png", "a/10.png", "a/c/z.tif", "ab/1.bmp", "\xc3\xa9.jpeg", "~.tiff", "z.jpg", "a.b.jpg",
        "\xff.jpg", ".hidden.jpg", ".folder/x.jpg", "empty/.jpg", "Thumbs.db", "a/desktop.ini", "__MACOSX/x.jpg"}) {
    folder.write(name, "x");
  }
  EXPECT_EQ(names({folder.path}),
            (std::vector<std::string>{"B.JPG", "a.b.jpg", "b.jpg", "z.jpg", "~.tiff", "\xc3\xa9.jpeg", "\xff.jpg",
                                      "a/10.png", "a/2.png", "a/c/z.tif", "ab/1.bmp"}));
  EXPECT_EQ(left_out(list_images({folder.path})), "");
}

TEST(Files, LinksAreFollowedButNotInACircle) {
  const Folder folder, elsewhere;
  folder.write("a/1.jpg", "x");
  elsewhere.write("2.jpg", "x");
  fs::create_directory_symlink(elsewhere.path, folder / "b");
  fs::create_directory_symlink("a", folder / "c");
  fs::create_directory_symlink("..", folder / "a/up");
  fs::create_directory_symlink(folder.path, elsewhere / "up");
  fs::create_symlink("nowhere", folder / "broken.jpg");
  EXPECT_EQ(names({folder.path}), (std::vector<std::string>{"broken.jpg", "a/1.jpg", "b/2.jpg", "c/1.jpg"}));
  const std::string place = folder.path.string();
  EXPECT_EQ(left_out(list_images({folder.path})),
            "left out: " + place + "/a/up, " + place + "/b/up, " + place + "/c/up: a link to a folder that holds it\n");
}

TEST(Files, WhatIsLeftOutIsNamed) {
  const Folder folder;
  for (const char* name : {"1.jpg", "notes.txt", "jpg", "a/2.webp", "a/3.gif", "a/4.gif", "a/5.gif"}) {
    folder.write(name, "x");
  }
  ASSERT_EQ(mkfifo((folder / "pipe.jpg").c_str(), 0600), 0);
  const std::string place = folder.path.string();
  EXPECT_EQ(left_out(list_images({folder.path})),
            "left out: " + place + "/jpg, " + place + "/notes.txt, " + place + "/pipe.jpg, " + place + "/a/2.webp, " +
                place + "/a/3.gif, and 2 more: not an image file (.jpeg .jpg .png .bmp .tif .tiff)\n");
}

TEST(Files, FilesAreTakenAsGiven) {
  const Folder folder;
  const fs::path text = folder.write("x/notes.txt", "x"), hidden = folder.write(".h.jpg", "x");
  EXPECT_EQ(names({hidden, text, text}), (std::vector<std::string>{".h.jpg", "notes.txt", "notes.txt"}));
}

TEST(Files, NothingToReadIsAnError) {
  const Folder folder;
  folder.write("notes.txt", "x");
  expect_part(error_of<UserError>([&] { list_images({folder.path}); }), "holds no images");
  expect_part(error_of<UserError>([&] { list_images({folder / "none"}); }), "there is no image or folder");
  ASSERT_EQ(mkfifo((folder / "pipe.jpg").c_str(), 0600), 0);  // it would be waited for
  expect_part(error_of<UserError>([&] { list_images({folder / "pipe.jpg"}); }), "there is no image or folder");
  expect_part(error_of<UserError>([] { list_images({}); }), "--dataset_path");
  expect_part(error_of<UserError>([&] { list_images({std::string(5000, 'x')}); }), "x: File name too long");
}

TEST(Files, ANewFileIsThereWholeOrNotAtAll) {
  const Folder folder;
  {
    NewFile file(folder / "out");
    file.write("half");
  }
  EXPECT_TRUE(entries(folder.path).empty());
  {
    NewFile file(folder / "out");
    file.write("all of ");
    file.write("it");
    EXPECT_FALSE(fs::exists(folder / "out"));
    file.close();
  }
  EXPECT_EQ(entries(folder.path), std::vector<std::string>{"out"});
  EXPECT_EQ(text_of_file(folder / "out"), "all of it");
}

TEST(Files, ANewFileNeverTakesAnothersPlace) {
  const Folder folder;
  folder.write("out", "old");
  expect_part(error_of<UserError>([&] { NewFile(folder / "out"); }), "exists already; give another --output");
  NewFile file(folder / "later");
  folder.write("later", "came meanwhile");
  file.write("new");
  expect_part(error_of<UserError>([&] { file.close(); }), "File exists");
  EXPECT_EQ(text_of_file(folder / "later"), "came meanwhile");
}

TEST(Files, AFailedNewFileLeavesNothingBehind) {
  const Folder folder;
  folder.write("out", "old");
  for (const char* name : {"out", "other"}) {
    try {
      NewFile file(folder / name);
      folder.write(name, "old");
      file.close();
    } catch (const UserError&) {
    }
  }
  EXPECT_EQ(entries(folder.path), (std::vector<std::string>{"other", "out"}));
}

TEST(Files, APlaceThatCannotBeWrittenIsNamed) {
  const Folder folder;
  folder.write("file", "x");
  expect_part(error_of<UserError>([&] { NewFile(folder / "none/out"); }), "none/out: No such file");
  expect_part(error_of<UserError>([&] { NewFile(folder / "file/out"); }), "file/out: Not a directory");
  expect_part(error_of<UserError>([&] { NewFile(folder / std::string(300, 'x')); }), "File name too long");
}

TEST(Files, ANameAsLongAsTheSystemAllowsCanBeWritten) {
  const Folder folder;
  NewFile file(folder / std::string(255, 'x'));
  file.close();
  EXPECT_EQ(entries(folder.path), std::vector<std::string>{std::string(255, 'x')});
}

}  // namespace
}  // namespace tinynet
