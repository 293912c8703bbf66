#include "terminal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "errors.h"

namespace tinynet {
namespace {

// A character, and how many bytes of UTF-8 it takes; 0 if there is none.
struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 0;
};

// Returns the character at `at`, by the rules of https://www.unicode.org/versions/Unicode15.0.0/ch03.pdf, table 3-7.
Character character(const std::string& text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return at + i < text.size() ? static_cast<std::uint8_t>(text[at + i]) : 0;
  };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  std::uint32_t code = lead & (0x7f >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool is_surrogate = code >= 0xd800 && code < 0xe000;
  const std::uint32_t first = bytes == 4 ? 0x10000 : bytes == 3 ? 0x800 : 0x80;  // below it, another form is shorter
  if (lead < 0xc0 || lead > 0xf4 || code < first || code > 0x10ffff || is_surrogate) return {};
  return {code, bytes};
}

bool is_hidden(std::uint32_t code) {  // HIDDEN of src/runtime/texts.py
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
}

std::string escaped(std::uint32_t code) {  // as Python's unicode_escape
  if (code == '\n') return "\\n";
  if (code == '\r') return "\\r";
  if (code == '\t') return "\\t";
  char text[8];
  std::snprintf(text, sizeof text, code < 0x100 ? "\\x%02x" : "\\u%04x", code);
  return text;
}

}  // namespace

std::string printable(const std::string& text) {
  std::string line;
  for (std::size_t at = 0; at < text.size();) {
    const Character found = character(text, at);
    if (found.bytes == 0) {
      line += escaped(0xdc00 + static_cast<std::uint8_t>(text[at++]));  // as Python's surrogateescape
    } else {
      line += is_hidden(found.code) ? escaped(found.code) : text.substr(at, found.bytes);
      at += found.bytes;
    }
  }
  return line;
}

void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return;
  if (errno == EPIPE) throw ReaderGone();
  throw UserError(std::string("cannot write to standard output: ") + std::strerror(errno));
}

void connect_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) < 0) open("/dev/null", stream == STDERR_FILENO ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace tinynet
