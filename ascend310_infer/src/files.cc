#include "files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "errors.h"
#include "terminal.h"

namespace tinynet {
namespace {

namespace fs = std::filesystem;

// The lists of src/images/folder.py.
constexpr std::string_view kSuffixes[] = {".jpeg", ".jpg", ".png", ".bmp", ".tif", ".tiff"};
constexpr std::string_view kSystemNames[] = {"thumbs.db", "desktop.ini", "__macosx", "@eadir"};

constexpr std::size_t kMostNamed = 5;     // files that a line names
constexpr std::size_t kKeptOfName = 200;  // bytes of a name; with the suffix of a temporary name it has at most 255

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

template <std::size_t count>
bool contains(const std::string_view (&list)[count], const std::string& text) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

// What is the same for all paths to a folder: device and inode.
using Identity = std::pair<dev_t, ino_t>;

[[noreturn]] void cannot_read(const fs::path& folder, int error) {
  throw UserError("cannot read folder " + folder.string() + ": " + std::strerror(error));
}

Identity identity(const fs::path& folder) {
  struct stat found{};
  if (stat(folder.c_str(), &found) != 0) cannot_read(folder, errno);
  return {found.st_dev, found.st_ino};
}

// Returns the names in a folder that are not hidden, sorted.
std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error); !error && it != fs::directory_iterator(); it.increment(error)) {
    const fs::path name = it->path().filename();
    if (name.native().front() != '.' && !contains(kSystemNames, lower(name.string()))) names.push_back(name);
  }
  if (error) cannot_read(folder, error.value());
  std::sort(names.begin(), names.end());
  return names;
}

// Adds what is below `folder`. `name` is its path below the folder given by the user, `above` holds all around it.
void list_folder(const fs::path& folder, const fs::path& name, std::vector<Identity> above, Listing& found) {
  above.push_back(identity(folder));
  if (std::count(above.begin(), above.end(), above.back()) > 1) {
    found.loops.push_back(folder);
    return;
  }
  std::vector<fs::path> folders;
  for (const fs::path& base : entries(folder)) {
    std::error_code error;
    const fs::file_type kind = fs::status(folder / base, error).type();
    // A broken link is reported later, as an image that cannot be read.
    const bool is_file = kind == fs::file_type::regular || kind == fs::file_type::not_found || error;
    if (kind == fs::file_type::directory) {
      folders.push_back(base);
    } else if (is_file && contains(kSuffixes, lower(base.extension().string()))) {
      found.images.push_back({folder / base, name / base});
    } else {
      found.others.push_back(folder / base);
    }
  }
  for (const fs::path& base : folders) list_folder(folder / base, name / base, above, found);
}

std::string line(const std::vector<fs::path>& paths, const char* reason) {
  if (paths.empty()) return "";
  std::string names;
  for (std::size_t i = 0; i < std::min(paths.size(), kMostNamed); ++i)
    names += (i ? ", " : "") + printable(paths[i].string());
  if (paths.size() > kMostNamed) names += ", and " + std::to_string(paths.size() - kMostNamed) + " more";
  return "left out: " + names + ": " + reason + "\n";
}

}  // namespace

Listing list_images(const std::vector<fs::path>& paths) {
  Listing found;
  for (const fs::path& path : paths) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      const std::size_t before = found.images.size();
      list_folder(path, {}, {}, found);
      if (found.images.size() == before) throw UserError("folder " + path.string() + " holds no images");
    } else if (fs::is_regular_file(path, error)) {
      found.images.push_back({path, path.filename()});
    } else if (error == std::errc::permission_denied || error == std::errc::filename_too_long) {
      throw UserError(path.string() + ": " + error.message());
    } else {
      throw UserError("there is no image or folder " + path.string());
    }
  }
  if (found.images.empty()) throw UserError("no images: name some, or folders of them, with --dataset_path");
  return found;
}

std::string left_out(const Listing& listing) {
  return line(listing.others, "not an image file (.jpeg .jpg .png .bmp .tif .tiff)") +
         line(listing.loops, "a link to a folder that holds it");
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
