// MindSpore keeps its tensors in large blocks at fixed places, so each place is asked for only once.
#include "huge_pages.h"

#include <sys/mman.h>

#include <mutex>
#include <unordered_set>

void use_huge_pages(const void* data, int64_t bytes) {
  constexpr uintptr_t PAGE = 2 << 20;
  constexpr size_t MOST = 10000;  // places to remember
  if (bytes < (int64_t)PAGE) return;
  static std::mutex mutex;
  static std::unordered_set<uintptr_t> seen;
  const uintptr_t begin = reinterpret_cast<uintptr_t>(data);
  const uintptr_t first = (begin + PAGE - 1) / PAGE * PAGE, end = (begin + bytes) / PAGE * PAGE;
  std::lock_guard<std::mutex> guard(mutex);
  if (first >= end || seen.size() >= MOST || !seen.insert(begin).second) return;
  void* pages = reinterpret_cast<void*>(first);
#if defined(MADV_HUGEPAGE)
  madvise(pages, end - first, MADV_HUGEPAGE);
#endif
#if defined(MADV_COLLAPSE)  // Linux 6.1: also those that are in use already
  madvise(pages, end - first, MADV_COLLAPSE);
#endif
}
