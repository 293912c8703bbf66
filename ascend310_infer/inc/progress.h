// The progress line on the terminal.
#pragma once

#include <cstddef>

namespace tinynet {

// Shows count, speed and remaining time on standard error. Shows nothing if that is not a terminal.
class Progress {
 public:
  explicit Progress(std::size_t total);

  // `done` images took `seconds` so far. Rewrites the line at most twice a second.
  void update(std::size_t done, double seconds);

  // Erases the line, for another message or at the end.
  void clear() const;

 private:
  const std::size_t total_;
  const bool shown_;
  double last_ = 0;  // seconds at the last update; 0: the line was never shown
};

}  // namespace tinynet
