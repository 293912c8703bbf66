#include "process.h"

#include <malloc.h>

#include <atomic>
#include <csignal>
#include <initializer_list>

namespace tinynet {
namespace {

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

}  // namespace

void tune_heap() {
  // The threads allocate rarely, and one heap per thread would cost a tenth of the memory.
  mallopt(M_ARENA_MAX, 1);
  // Blocks as large as weights come from the system. Freed, they return to it; the heap would keep them after loading.
  mallopt(M_MMAP_THRESHOLD, 1 << 16);
  mallopt(M_TRIM_THRESHOLD, 1 << 16);
}

void handle_signals() {
  for (const int signal : {SIGINT, SIGTERM}) {
    std::signal(signal, [](int number) {
      stop_requested = true;
      std::signal(number, SIG_DFL);
    });
  }
  std::signal(SIGPIPE, SIG_IGN);
}

bool interrupted() { return stop_requested; }

}  // namespace tinynet
