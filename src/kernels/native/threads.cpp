// The pool of threads: workers sleep until there are tasks, and nobody waits for a worker that has not begun.
//
// Kernels follow each other within some 20 us, and to wake a sleeping thread takes as long. So a thread looks for what
// it waits for during such a moment before it sleeps. It does not offer its core to others: on a busy machine, it would
// get it back milliseconds later.
#include "threads.h"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

namespace {

std::atomic<int> wanted_threads{1};

class Pool {
 public:
  void run(int64_t count, const std::function<void(int64_t)>& task) {
    std::unique_lock<std::mutex> use(use_, std::try_to_lock);
    if (count < 2 || !use || !start_workers()) {
      for (int64_t i = 0; i < count; ++i) task(i);
      return;
    }
    bool is_asleep;
    {
      std::lock_guard<std::mutex> guard(state_);
      is_asleep = sleeping_ > 0;
      task_ = &task, count_ = count, next_ = 0, seats_ = wanted_threads - 1;
      ++job_;
    }
    if (is_asleep) wake_.notify_all();
    work();
    {
      std::lock_guard<std::mutex> guard(state_);
      seats_ = 0;  // a worker that comes from here on finds nothing to do
    }
    look([this] { return active_ == 0; });
    std::unique_lock<std::mutex> lock(state_);
    idle_.wait(lock, [this] { return active_ == 0; });
  }

 private:
  // Returns whether there is any worker.
  bool start_workers() {
    try {
      for (; workers_ + 1 < wanted_threads; ++workers_) std::thread([this] { loop(); }).detach();
    } catch (const std::system_error&) {  // the limit of the user's processes: fewer threads compute the same
    }
    return workers_ > 0 && wanted_threads > 1;
  }

  void work() {
    for (int64_t i; (i = next_++) < count_;) (*task_)(i);
  }

  void loop() {
    for (uint64_t seen = 0;;) {
      look([&] { return job_ != seen; });
      std::unique_lock<std::mutex> lock(state_);
      ++sleeping_;
      wake_.wait(lock, [&] { return seats_ > 0 && job_ != seen; });
      --sleeping_;
      seen = job_;
      --seats_, ++active_;
      lock.unlock();
      work();
      lock.lock();
      if (--active_ == 0) idle_.notify_one();
    }
  }

  // Returns when something is so, or after a moment.
  template <class F>
  static void look(F is_so) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(30);
    while (!is_so() && std::chrono::steady_clock::now() < end) {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
  }

  std::mutex use_;   // held by the thread whose tasks are done
  int workers_ = 0;  // under use_

  std::mutex state_;  // of all below
  std::condition_variable wake_, idle_;
  const std::function<void(int64_t)>* task_ = nullptr;
  int64_t count_ = 0;
  std::atomic<int64_t> next_{0};
  int seats_ = 0, sleeping_ = 0;
  std::atomic<int> active_{0};  // these two are also read without state_
  std::atomic<uint64_t> job_{0};
};

// The pool is never destroyed: its threads sleep until the process ends. A forked process has none of them, so it
// begins with a new pool.
std::atomic<Pool*> pool{nullptr};

Pool& the_pool() {
  static const bool made = [] {
    pool = new Pool;
    pthread_atfork(nullptr, nullptr, [] { pool = new Pool; });
    return true;
  }();
  (void)made;
  return *pool;
}

struct Free {
  void operator()(float* p) const { std::free(p); }
};

}  // namespace

void set_thread_count(int count) { wanted_threads = count < 1 ? 1 : count; }

void run_tasks(int64_t count, const std::function<void(int64_t)>& task) { the_pool().run(count, task); }

float* scratch(int slot, int64_t count) {
  constexpr int64_t LINE = 16;  // floats of a cache line
  static thread_local std::unique_ptr<float, Free> memory[8];
  static thread_local int64_t sizes[8];
  if (sizes[slot] < count) {
    const int64_t size = (count + LINE - 1) / LINE * LINE;
    memory[slot].reset(static_cast<float*>(std::aligned_alloc(64, size * sizeof(float))));
    sizes[slot] = memory[slot] ? size : 0;
    if (!memory[slot]) throw std::bad_alloc();
  }
  return memory[slot].get();
}

extern "C" __attribute__((visibility("default"))) void SetThreadCount(int count) { set_thread_count(count); }
