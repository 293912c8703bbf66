// The mean of each map, and its gradient. A task is some maps.
#include "operator.h"
#include "threads.h"
#include "vectors.h"

namespace {

constexpr int64_t GROUP = 64;  // maps of a task

// Calls work(map) for all maps.
template <class F>
void for_each_map(int64_t maps, int64_t floats, F&& work) {
  parallel((maps + GROUP - 1) / GROUP, floats, [&](int64_t task) {
    for (int64_t map = task * GROUP; map < std::min(maps, (task + 1) * GROUP); ++map) work(map);
  });
}

}  // namespace

// x (N, C, H, W) -> means (N, C)
OPERATOR(GlobalMeanForward) {
  EXPECT_TENSORS(2);
  const int64_t N = x.dim(0, 0), C = x.dim(0, 1), P = x.dim(0, 2) * x.dim(0, 3);
  EXPECT(x.ranks[0] == 4 && P > 0 && x.has_shape(1, {N, C}), WRONG_SHAPE);
  for_each_map(N * C, x.size(0), [&](int64_t map) {
    Vec s{};
    sweep(P, [&](int64_t i, int64_t n) { s += load(x[0] + map * P + i, n); });
    x[1][map] = sum(s) / P;
  });
  return NONE;
}

// x, dmeans -> dx. The values of x are not read.
OPERATOR(GlobalMeanBackward) {
  EXPECT_TENSORS(3);
  const int64_t N = x.dim(0, 0), C = x.dim(0, 1), P = x.dim(0, 2) * x.dim(0, 3);
  EXPECT(x.ranks[0] == 4 && P > 0 && x.has_shape(1, {N, C}) && x.same_shape(2, 0), WRONG_SHAPE);
  for_each_map(N * C, x.size(0), [&](int64_t map) {
    const Vec share = splat(x[1][map] / P);
    sweep(P, [&](int64_t i, int64_t n) { store(x[2] + map * P + i, share, n); });
  });
  return NONE;
}
