// The kinds of errors. A UserError ends the program; an ImageError costs only one image.
#pragma once

#include <exception>
#include <stdexcept>

namespace tinynet {

// A mistake that the user can correct. The text is one line: what is wrong, the value, what is allowed, what to do.
// main() prints it and exits with status 2.
class UserError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// An image that cannot be read. The program reports and counts it, and continues with the others.
class ImageError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The reader of standard output, such as `head`, has closed the pipe. This is not a failure.
class ReaderGone : public std::exception {};

}  // namespace tinynet
