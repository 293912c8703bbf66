// Measures how long each stage of the work takes.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace tinynet {

using Clock = std::chrono::steady_clock;

// The times of one stage, one for each image or batch. Not thread safe.
class Samples {
 public:
  void add(double seconds, double processor_seconds);
  void merge(const Samples& others);

  std::size_t count() const { return seconds_.size(); }
  double quantile(double share) const;                             // seconds, nearest rank; 0 without samples
  double processor_seconds() const { return processor_seconds_; }  // total

 private:
  std::vector<float> seconds_;
  double processor_seconds_ = 0;
};

// decode: from file to pixels, per image. preprocess: from pixels to network input, per image. infer: one call, per
// batch. latency: from the start of decoding until the logits of the batch exist, per image.
struct Stages {
  Samples decode, preprocess, infer, latency;
  void merge(const Stages& others);
};

// Adds its own lifetime to `samples`: time on the clock, and CPU time of this thread.
class Stopwatch {
 public:
  explicit Stopwatch(Samples& samples);
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  ~Stopwatch();

 private:
  Samples& samples_;
  Clock::time_point start_;
  double processor_start_;
};

// Returns the CPU time of the whole program so far, seconds.
double process_seconds();

// The measurements of a whole run.
struct Timing {
  std::string backend;
  std::size_t images = 0, failed = 0;
  int threads = 0, batch = 0;
  double load_seconds = 0;          // from the start of the program until the model is loaded
  double first_result_seconds = 0;  // from the start of the program
  double seconds = 0;               // from the first image to the last result
  double processor_seconds = 0;     // CPU time of all threads in that time
  Stages stages;

  double images_per_second() const { return seconds > 0 ? static_cast<double>(images) / seconds : 0; }
  std::string table() const;
  std::string json() const;
};

}  // namespace tinynet
