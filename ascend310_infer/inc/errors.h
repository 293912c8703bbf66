// What can go wrong: a mistake of the user ends the program, a bad image only costs itself.
#pragma once

#include <exception>
#include <stdexcept>

namespace tinynet {

// Something the user can put right. The text says what was wrong, the value, what is allowed, what to do; main() prints
// it as one line and exits with status 2.
class UserError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// One image that cannot be read: reported and counted, the rest goes on.
class ImageError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Who reads our output, such as `head`, has seen enough: no failure.
class ReaderGone : public std::exception {};

}  // namespace tinynet
