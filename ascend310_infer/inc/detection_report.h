// Writes the objects of images as text, JSON or CSV, and draws them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "description.h"
#include "files.h"
#include "options.h"
#include "report.h"

namespace tinynet {

// Opens the report of a detector that the options select, for results of `images`; `names` has one name per class.
// Throws UserError if an output exists already or cannot be written.
std::unique_ptr<Report> open_detection_report(const Options& options, const Description& description,
                                              const std::vector<ImageFile>& images, std::vector<std::string> names);

}  // namespace tinynet
