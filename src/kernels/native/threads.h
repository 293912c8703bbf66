// One pool of threads for all kernels. Tasks are independent, so the result is the same with any number of threads.
#pragma once
#include <cstdint>
#include <cstring>
#include <functional>

// Sets how many threads compute, at least 1. Threads are started when they are first needed.
void set_thread_count(int count);

// Calls task(0) to task(count - 1). The caller works too, and works alone while another thread uses the pool.
void run_tasks(int64_t count, const std::function<void(int64_t)>& task);

constexpr int64_t WORTH_THREADS = 16384;  // floats: with fewer, waking a thread (10 us) takes longer than it saves

// Calls task(0) to task(count - 1), which work on `floats` numbers together.
template <class F>
void parallel(int64_t count, int64_t floats, F&& task) {
  if (floats >= WORTH_THREADS) return run_tasks(count, task);
  for (int64_t i = 0; i < count; ++i) task(i);
}

// Calls work(c) for each channel of maps with `pixels` pixels. Small maps are grouped: neighbors share cache lines.
template <class F>
void for_each_channel(int64_t channels, int64_t pixels, int64_t floats, F&& work) {
  const int64_t group = pixels < 512 ? 512 / (pixels ? pixels : 1) : 1;
  parallel((channels + group - 1) / group, floats, [&](int64_t task) {
    for (int64_t c = task * group; c < channels && c < (task + 1) * group; ++c) work(c);
  });
}

// Returns memory of this thread for `count` floats, aligned to a cache line. It is kept from call to call, and holds
// anything. A kernel uses slots 0, 1, ... for all that it needs at the same time.
float* scratch(int slot, int64_t count);
// The same, all zero.
inline float* cleared(int slot, int64_t count) {
  float* memory = scratch(slot, count);
  std::memset(memory, 0, count * sizeof(float));
  return memory;
}
