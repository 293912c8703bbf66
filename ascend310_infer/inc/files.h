// Lists the requested images, and writes files that are never left incomplete.
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tinynet {

struct ImageFile {
  std::filesystem::path path;
  std::filesystem::path name;  // relative to the folder given by the user; a single file's own name
};

struct Listing {
  std::vector<ImageFile> images;
  std::vector<std::filesystem::path> others;  // files that are no images by name or kind
  std::vector<std::filesystem::path> loops;   // links to a folder that holds them, which are not followed
};

// Returns the files in `paths`, and all images below the folders in `paths`, by the rule and in the order of
// src/images/folder.py: sorted by name, files of a folder before its sub-folders, without hidden ones.
// Throws UserError if a path does not exist, a folder cannot be read, or there is no image.
Listing list_images(const std::vector<std::filesystem::path>& paths);

// Returns a line for each kind of file that was left out, with the first few names.
std::string left_out(const Listing& listing);

// A file that appears at `path` on close(). Until then it has a temporary name; the destructor removes it if
// close() was not called. An existing file is never replaced. Not thread safe.
// All methods throw UserError: `path` exists, the disk is full, or the folder cannot be written.
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
