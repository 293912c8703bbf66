#include "drawings.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "canvas.h"
#include "errors.h"
#include "font.h"
#include "image.h"
#include "png_writer.h"

namespace tinynet {
namespace {

constexpr Color kColors[] = {{31, 119, 180}, {255, 127, 14},  {44, 160, 44},   {214, 39, 40},  {148, 103, 189},
                             {140, 86, 75},  {227, 119, 194}, {127, 127, 127}, {188, 189, 34}, {23, 190, 207}};

// Returns a name that the font can draw: one in another script is replaced by the number of the class.
std::string drawable(const std::string& name, int index) {
  const bool is_ascii =
      std::all_of(name.begin(), name.end(), [](char c) { return c >= kFirstLetter && c <= kLastLetter; });
  return is_ascii ? name : "class " + std::to_string(index);
}

}  // namespace

Drawings::Drawings(std::filesystem::path folder, const std::vector<ImageFile>& images, std::vector<std::string> names)
    : folder_(std::move(folder), "--draw", images, ".png"), names_(std::move(names)) {}

void Drawings::add(const ImageFile& image, std::size_t index, const std::vector<Detection>& objects) {
  Image copy;
  try {
    decode(read_file(image.path), copy);
  } catch (const ImageError& error) {
    throw UserError(image.path.string() + " has changed, and cannot be drawn: " + error.what());
  }
  for (auto it = objects.rbegin(); it != objects.rend(); ++it) {
    char percent[16];
    std::snprintf(percent, sizeof percent, " %.0f%%", 100.0 * static_cast<double>(it->score));
    draw_box(copy, it->box, drawable(names_[it->index], it->index) + percent, kColors[it->index % std::size(kColors)]);
  }
  folder_.write(index, encode_png(copy));
}

}  // namespace tinynet
