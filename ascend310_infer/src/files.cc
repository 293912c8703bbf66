#include "files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "errors.h"

namespace tinynet {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffixes[] = {".jpeg", ".jpg", ".png", ".bmp", ".tif", ".tiff"};  // the list of eval.py

constexpr std::size_t kKeptOfName = 200;  // bytes of a name; with the suffix of a temporary name it has at most 255

bool is_image(const fs::path& path) {
  std::string suffix = path.extension().string();
  std::transform(suffix.begin(), suffix.end(), suffix.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::find(std::begin(kSuffixes), std::end(kSuffixes), suffix) != std::end(kSuffixes);
}

void list_folder(const fs::path& folder, const fs::path& name, std::vector<ImageFile>& found) {
  std::vector<fs::path> files, folders;
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  if (error) throw UserError("cannot read folder " + folder.string() + ": " + error.message());
  for (const fs::directory_entry& entry : entries) {
    const fs::path base = entry.path().filename();
    if (base.native().front() == '.') continue;
    if (entry.is_directory(error)) {
      if (!entry.is_symlink(error)) folders.push_back(base);
    } else if (is_image(base)) {
      files.push_back(base);
    }
  }
  std::sort(files.begin(), files.end());
  std::sort(folders.begin(), folders.end());
  for (const fs::path& base : files) found.push_back({folder / base, name / base});
  for (const fs::path& base : folders) list_folder(folder / base, name / base, found);
}

}  // namespace

std::vector<ImageFile> list_images(const std::vector<fs::path>& paths) {
  std::vector<ImageFile> found;
  for (const fs::path& path : paths) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      const std::size_t before = found.size();
      list_folder(path, {}, found);
      if (found.size() == before) throw UserError("folder " + path.string() + " holds no images");
    } else if (fs::exists(path, error)) {
      found.push_back({path, path.filename()});
    } else {
      throw UserError("there is no image or folder " + path.string());
    }
  }
  if (found.empty()) throw UserError("no images given; name files or folders with --dataset_path");
  return found;
}

NewFile::NewFile(fs::path path) : path_(std::move(path)) {
  std::error_code error;
  if (fs::exists(path_, error)) throw UserError(path_.string() + " exists already; give another --output or remove it");
  if (error) {  // fail now, not after the work
    errno = error.value();
    fail();
  }
  temporary_ = path_;
  temporary_.replace_filename("." + path_.filename().string().substr(0, kKeptOfName) + "-" + std::to_string(getpid()));
  file_ = std::fopen(temporary_.c_str(), "wxb");
  if (!file_) fail();
}

NewFile::~NewFile() {
  if (!file_) return;
  std::fclose(file_);
  unlink(temporary_.c_str());
}

void NewFile::write(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) fail();
}

void NewFile::close() {
  if (std::fflush(file_) != 0 || fsync(fileno(file_)) != 0) fail();
  // A hard link never replaces a file that appeared meanwhile. Some file systems support only rename.
  if (link(temporary_.c_str(), path_.c_str()) == 0) {
    unlink(temporary_.c_str());
  } else if (errno == EEXIST || std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    fail();
  }
  std::fclose(std::exchange(file_, nullptr));
}

void NewFile::fail() const { throw UserError("cannot write " + path_.string() + ": " + std::strerror(errno)); }

}  // namespace tinynet
