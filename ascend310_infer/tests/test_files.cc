// The order of images, and files that are complete or absent.
#include <algorithm>

#include "files.h"
#include "helpers.h"

namespace tinynet {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names(const std::vector<fs::path>& paths) {
  std::vector<std::string> found;
  for (const ImageFile& file : list_images(paths)) found.push_back(file.name.string());
  return found;
}

std::vector<std::string> entries(const fs::path& folder) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(folder)) found.push_back(entry.path().filename().string());
  std::sort(found.begin(), found.end());
  return found;
}

TEST(Files, TheOrderIsThatOfPython) {  // of os.walk with names sorted by code point
  const Folder folder;
  for (const char* name : {"b.jpg", "B.JPG", "a/2.png", "a/10.png", "a/c/z.tif", "ab/1.bmp", "\xc3\xa9.jpeg", "~.tiff",
                           "z.jpg", "a.b.jpg", ".hidden.jpg", ".folder/x.jpg", "notes.txt", "jpg", "empty/.jpg"}) {
    folder.write(name, "x");
  }
  fs::create_directory_symlink(folder / "a", folder / "linked");
  fs::create_symlink(folder / "nowhere", folder / "broken.jpg");
  EXPECT_EQ(names({folder.path}),
            (std::vector<std::string>{"B.JPG", "a.b.jpg", "b.jpg", "broken.jpg", "z.jpg", "~.tiff", "\xc3\xa9.jpeg",
                                      "a/10.png", "a/2.png", "a/c/z.tif", "ab/1.bmp"}));
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
  expect_part(error_of<UserError>([] { list_images({}); }), "--dataset_path");
  expect_part(error_of<UserError>([&] { list_images({std::string(5000, 'x')}); }), "there is no image or folder");
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
