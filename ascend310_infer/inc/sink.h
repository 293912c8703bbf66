// Where a report of text goes, and the forms that the reports of all tasks have: a JSON array, and fields of CSV.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "files.h"

namespace tinynet {

// Standard output, or a new file. Its methods throw UserError if that cannot be written; write() throws ReaderGone if
// the reader of standard output has closed it.
class Sink {
 public:
  explicit Sink(const std::filesystem::path& path);  // empty: standard output

  void write(const std::string& text);
  void close();  // without it, a file is not kept

  // Returns a text as a field of CSV. Names are written as they are, but a terminal gets no control characters.
  std::string field(const std::string& text) const;

 private:
  bool is_terminal() const;
  std::unique_ptr<NewFile> file_;
};

// A JSON array in ASCII, one entry a line. It throws as Sink does.
class JsonArray {
 public:
  explicit JsonArray(const std::filesystem::path& path);

  void add(const nlohmann::ordered_json& entry);
  void close();

 private:
  Sink sink_;
  bool is_empty_ = true;
};

}  // namespace tinynet
