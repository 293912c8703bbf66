#include "output_folder.h"

#include <map>
#include <utility>

#include "errors.h"

namespace tinynet {

namespace fs = std::filesystem;

OutputFolder::OutputFolder(fs::path folder, const char* flag, const std::vector<ImageFile>& images,
                           const std::string& ending)
    : folder_(std::move(folder)) {
  std::error_code error;
  if (fs::exists(folder_, error) && !(fs::is_directory(folder_, error) && fs::is_empty(folder_, error))) {
    throw UserError(folder_.string() + " exists already; give another " + flag + " or remove it");
  }
  if (!fs::create_directories(folder_, error) && error) {
    throw UserError("cannot write " + folder_.string() + ": " + error.message());
  }
  std::map<fs::path, int> alike, used;
  for (const ImageFile& image : images) ++alike[fs::path(image.name).replace_extension()];
  for (const ImageFile& image : images) {
    const fs::path plain = fs::path(image.name).replace_extension(), name = alike[plain] > 1 ? image.name : plain;
    const int number = ++used[name];
    names_.push_back(name.string() + (number > 1 ? "-" + std::to_string(number) : "") + ending);
  }
}

void OutputFolder::write(std::size_t index, std::string_view bytes) const {
  const fs::path target = folder_ / names_[index];
  std::error_code error;
  fs::create_directories(target.parent_path(), error);  // NewFile reports an error
  NewFile file(target);
  file.write(bytes);
  file.close();
}

}  // namespace tinynet
