#include "sink.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "terminal.h"

namespace tinynet {

Sink::Sink(const std::filesystem::path& path) {
  if (!path.empty()) file_ = std::make_unique<NewFile>(path);
}

void Sink::write(const std::string& text) {
  if (file_) {
    file_->write(text);
  } else {
    print(text);
  }
}

void Sink::close() {
  if (file_) file_->close();
}

std::string Sink::field(const std::string& text) const {
  const std::string shown = is_terminal() ? printable(text) : text;
  if (shown.find_first_of(",\"\r\n") == std::string::npos) return shown;
  std::string inside;
  for (const char c : shown) inside += c == '"' ? std::string("\"\"") : std::string(1, c);
  return "\"" + inside + "\"";
}

bool Sink::is_terminal() const { return !file_ && isatty(STDOUT_FILENO); }

JsonArray::JsonArray(const std::filesystem::path& path) : sink_(path) {}

void JsonArray::add(const nlohmann::ordered_json& entry) {
  sink_.write((is_empty_ ? "[\n" : ",\n") + entry.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
  is_empty_ = false;
}

void JsonArray::close() {
  sink_.write(is_empty_ ? "[]\n" : "\n]\n");
  sink_.close();
}

}  // namespace tinynet
