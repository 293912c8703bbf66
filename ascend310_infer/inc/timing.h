// How long each part of the work takes.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace tinynet {

using Clock = std::chrono::steady_clock;

// Times of one part of the work, over many images or batches.
class Samples {
 public:
  void add(double seconds, double processor_seconds);
  void merge(const Samples& others);

  std::size_t count() const { return seconds_.size(); }
  double quantile(double share) const;                             // seconds; 0 when there are none
  double processor_seconds() const { return processor_seconds_; }  // in all

 private:
  std::vector<float> seconds_;
  double processor_seconds_ = 0;
};

// decode: file to pixels. preprocess: pixels to network input. Both for each image. infer: one call for a batch.
// latency: an image, from the start of its decoding until the logits of its batch are there.
struct Stages {
  Samples decode, preprocess, infer, latency;
  void merge(const Stages& others);
};

// Measures its own lifetime on the clock and on the processor (of this thread).
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

// Processor time of the whole program until now, seconds.
double process_seconds();

// A whole run.
struct Timing {
  std::string backend;
  std::size_t images = 0, failed = 0;
  int threads = 0, batch = 0;
  double load_seconds = 0;          // from the start of the program until the model is ready
  double first_result_seconds = 0;  // from the start of the program
  double seconds = 0;               // from the first image to the last result
  double processor_seconds = 0;     // within these, of all threads
  Stages stages;

  double images_per_second() const { return seconds > 0 ? static_cast<double>(images) / seconds : 0; }
  std::string table() const;
  std::string json() const;
};

}  // namespace tinynet
