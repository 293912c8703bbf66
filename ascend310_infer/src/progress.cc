#include "progress.h"

#include <unistd.h>

#include <cstdio>

namespace tinynet {

constexpr double kInterval = 0.5;  // seconds between two updates

Progress::Progress(std::size_t total) : total_(total), shown_(isatty(STDERR_FILENO)) {}

void Progress::update(std::size_t done, double seconds) {
  if (!shown_ || seconds < last_ + kInterval) return;
  last_ = seconds;
  const double rate = static_cast<double>(done) / seconds;
  std::fprintf(stderr, "\r%zu of %zu images, %.0f a second, %.0f s left \033[K", done, total_, rate,
               static_cast<double>(total_ - done) / rate);
}

void Progress::clear() const {
  if (last_ > 0) std::fprintf(stderr, "\r\033[K");
}

}  // namespace tinynet
