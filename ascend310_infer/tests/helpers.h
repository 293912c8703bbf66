// What tests share: a folder of their own, image files made by libjpeg and libpng, and the text of an error.
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

class Folder {  // vanishes with all that is in it
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

// Rows of `values` (of one byte; of two, big end first, when depth is 16; packed when below 8).
Bytes png(int width, int height, int color_type, int depth, const Bytes& values, const Bytes& palette = {});
Bytes jpeg(int width, int height, int components, const Bytes& values);

Image picture(int width, int height);  // RGB, of structure that no mistake of order survives
Bytes rgb(const Image& image);

Description description(int size, int short_side, int classes);

// The text of the Error that `call` throws; it must be one line.
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
