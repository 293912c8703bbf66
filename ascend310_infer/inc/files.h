// Which images were asked for, and files that are never half there.
#pragma once

#include <cstdio>
#include <filesystem>
#include <string_view>
#include <vector>

namespace tinynet {

struct ImageFile {
  std::filesystem::path path;
  std::filesystem::path name;  // relative to the folder it was found in; of a single file its name
};

// Files as given, folders with all images below them in the order of eval.py and predict.py: by name, files of a folder
// before its sub-folders, hidden ones left out.
// Throws UserError: a path that is not there, or no image anywhere.
std::vector<ImageFile> list_images(const std::vector<std::filesystem::path>& paths);

// A file written beside its place and moved there by close(); an unfinished one vanishes. It never takes the place of
// another. Throws UserError: the place is taken, the disk is full, the folder cannot be written.
class NewFile {
 public:
  explicit NewFile(std::filesystem::path path);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  void write(std::string_view bytes);
  void close();

 private:
  [[noreturn]] void fail() const;
  std::filesystem::path path_, temporary_;
  std::FILE* file_ = nullptr;
};

}  // namespace tinynet
