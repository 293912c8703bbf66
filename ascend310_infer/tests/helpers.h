// Helpers of the tests: temporary folders, image files, and the text of an error.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "description.h"
#include "errors.h"
#include "image.h"

namespace tinynet {

using Bytes = std::vector<std::uint8_t>;

// A new temporary folder. The destructor removes it with its contents.
class Folder {
 public:
  Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();

  std::filesystem::path operator/(const std::filesystem::path& name) const { return path / name; }
  std::filesystem::path write(const std::filesystem::path& name, const std::string& text) const;
  std::filesystem::path write(const std::filesystem::path& name, const Bytes& bytes) const;
  std::filesystem::path path;
};

std::string text_of_file(const std::filesystem::path& path);

// Return image files. `values` holds the rows as PNG stores them: 16-bit values with the high byte first, and
// depths below 8 packed into bytes.
Bytes png(int width, int height, int color_type, int depth, const Bytes& values, const Bytes& palette = {});
Bytes jpeg(int width, int height, int components, const Bytes& values);

// Returns an RGB picture in which any change of order changes pixels.
Image picture(int width, int height);
Bytes rgb(const Image& image);

Description description(int size, int short_side, int classes);
Description detector(int size, int anchors, int classes);

// Returns the text of the Error that `call` must throw. The text must be one line.
template <typename Error, typename Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    return text;
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another kind of error: " << error.what();
    return "";
  }
  ADD_FAILURE() << "no error";
  return "";
}

inline void expect_part(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "no '" << part << "' in '" << text << "'";
}

}  // namespace tinynet
