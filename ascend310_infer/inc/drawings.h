// Copies of images with the objects that were found in them, as PNG files in a new folder.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "detections.h"
#include "files.h"
#include "output_folder.h"

namespace tinynet {

class Drawings {
 public:
  // `names` has one name per class. Throws UserError as OutputFolder.
  Drawings(std::filesystem::path folder, const std::vector<ImageFile>& images, std::vector<std::string> names);

  // Writes a copy of image `index`. The best object lies on top. Pixels are those of the file; as in evaluation, its
  // EXIF orientation is ignored. Throws UserError if the image cannot be read again or the copy cannot be written.
  void add(const ImageFile& image, std::size_t index, const std::vector<Detection>& objects);

 private:
  OutputFolder folder_;
  std::vector<std::string> names_;
};

}  // namespace tinynet
