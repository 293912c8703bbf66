// A new folder with a file for each image.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "files.h"

namespace tinynet {

// Files are named FOLDER/sub-folders/NAME + `ending`. NAME is the name of the image without its suffix. If two images
// share that name, even unreadable ones, the suffix stays. If they still share it, a number is added.
class OutputFolder {
 public:
  // Throws UserError if the folder cannot be made or holds anything; `flag` names it.
  OutputFolder(std::filesystem::path folder, const char* flag, const std::vector<ImageFile>& images,
               const std::string& ending);

  // Writes the file of image `index`. Throws UserError if that fails.
  void write(std::size_t index, std::string_view bytes) const;

 private:
  std::filesystem::path folder_;
  std::vector<std::string> names_;  // by image
};

}  // namespace tinynet
