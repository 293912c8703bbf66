#include "timing.h"

#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

namespace tinynet {
namespace {

double processor_seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Reads /proc, because the maximum of getrusage includes the memory of the process that started this one.
double peak_megabytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::strtod(line.c_str() + 6, nullptr) * 1024 / 1e6;  // the file says KiB
  }
  return 0;
}

struct Row {
  const char* name;
  const Samples& samples;
};

std::vector<Row> rows(const Stages& stages) {
  return {{"decode", stages.decode},
          {"preprocess", stages.preprocess},
          {"infer", stages.infer},
          {"latency", stages.latency}};
}

}  // namespace

void Samples::add(double seconds, double processor_seconds) {
  seconds_.push_back(static_cast<float>(seconds));
  processor_seconds_ += processor_seconds;
}

void Samples::merge(const Samples& others) {
  seconds_.insert(seconds_.end(), others.seconds_.begin(), others.seconds_.end());
  processor_seconds_ += others.processor_seconds_;
}

double Samples::quantile(double share) const {
  if (seconds_.empty()) return 0;
  std::vector<float> sorted = seconds_;
  const auto index = static_cast<std::ptrdiff_t>(std::ceil(share * static_cast<double>(sorted.size()))) - 1;
  const auto place =
      sorted.begin() + std::clamp<std::ptrdiff_t>(index, 0, static_cast<std::ptrdiff_t>(sorted.size()) - 1);
  std::nth_element(sorted.begin(), place, sorted.end());
  return *place;
}

void Stages::merge(const Stages& others) {
  decode.merge(others.decode);
  preprocess.merge(others.preprocess);
  infer.merge(others.infer);
  latency.merge(others.latency);
}

Stopwatch::Stopwatch(Samples& samples)
    : samples_(samples), start_(Clock::now()), processor_start_(processor_seconds(CLOCK_THREAD_CPUTIME_ID)) {}

Stopwatch::~Stopwatch() {
  const std::chrono::duration<double> elapsed = Clock::now() - start_;
  samples_.add(elapsed.count(), processor_seconds(CLOCK_THREAD_CPUTIME_ID) - processor_start_);
}

double process_seconds() { return processor_seconds(CLOCK_PROCESS_CPUTIME_ID); }

std::string Timing::table() const {
  char line[160];
  std::string text;
  const auto print = [&](const char* format, auto... values) {
    std::snprintf(line, sizeof line, format, values...);
    text += line;
  };
  print("%s, batch %d, %d threads\n", backend.c_str(), batch, threads);
  print("%zu images in %.2f s: %.1f images/s; %zu could not be read\n", images, seconds, images_per_second(), failed);
  print("model ready after %.2f s, first result after %.2f s, peak memory %.0f MB\n", load_seconds,
        first_result_seconds, peak_megabytes());
  print("%-12s%10s%12s%12s%16s\n", "", "count", "median ms", "95 % ms", "processor s");
  for (const Row& row : rows(stages)) {
    print("%-12s%10zu%12.2f%12.2f", row.name, row.samples.count(), 1e3 * row.samples.quantile(0.5),
          1e3 * row.samples.quantile(0.95));
    if (&row.samples == &stages.latency) {
      text += "\n";
    } else {
      print("%16.2f\n", row.samples.processor_seconds());
    }
  }
  return text;
}

std::string Timing::json() const {
  nlohmann::ordered_json json = {{"backend", backend},
                                 {"images", images},
                                 {"failed", failed},
                                 {"threads", threads},
                                 {"batch_size", batch},
                                 {"seconds", seconds},
                                 {"images_per_second", images_per_second()},
                                 {"processor_seconds", processor_seconds},
                                 {"load_seconds", load_seconds},
                                 {"first_result_seconds", first_result_seconds},
                                 {"peak_megabytes", peak_megabytes()}};
  for (const Row& row : rows(stages)) {
    json[row.name] = {{"count", row.samples.count()},
                      {"median_ms", 1e3 * row.samples.quantile(0.5)},
                      {"p95_ms", 1e3 * row.samples.quantile(0.95)},
                      {"processor_seconds", row.samples.processor_seconds()}};
  }
  return json.dump(2) + "\n";
}

}  // namespace tinynet
