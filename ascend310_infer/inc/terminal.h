// What a terminal gets: names without control characters, and a standard output that is known to be written.
#pragma once

#include <string>

namespace tinynet {

// Returns a text for one line of any terminal, as `printable` of src/runtime/texts.py does: control characters, line
// separators, and bytes that are not UTF-8 are escaped, as in a\nb, \x1b and \udce9.
std::string printable(const std::string& text);

// Writes to standard output. Throws UserError if that fails, ReaderGone if the reader has closed it.
void print(const std::string& text);

// Connects closed streams to /dev/null, so that no file that is opened later gets their numbers. Writing to a closed
// standard output still fails.
void connect_closed_streams();

}  // namespace tinynet
