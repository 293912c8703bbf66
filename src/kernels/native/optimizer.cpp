// One update of all parameters in one call: RMSProp, and the moving average of the weights. A task is some pieces.
#include <vector>

#include "operator.h"
#include "threads.h"
#include "vectors.h"

namespace {

// Calls work(tensor, begin, size) for pieces of about the same size of `count` tensors from number `first` on.
template <class F>
void in_pieces(const Tensors& x, int64_t first, int64_t count, F work) {
  struct Piece {
    int64_t tensor, begin, size;
  };
  constexpr int64_t LARGEST = 16384, GROUP = 8;  // most tensors have fewer floats, so a task has several pieces
  std::vector<Piece> pieces;
  int64_t floats = 0;
  for (int64_t tensor = 0; tensor < count; ++tensor) {
    const int64_t size = x.size(first + tensor);
    floats += size;
    for (int64_t i = 0; i < size; i += LARGEST) pieces.push_back({tensor, i, std::min(LARGEST, size - i)});
  }
  const int64_t total = (int64_t)pieces.size();
  parallel((total + GROUP - 1) / GROUP, floats, [&](int64_t task) {
    for (int64_t i = task * GROUP; i < std::min(total, (task + 1) * GROUP); ++i)
      work(pieces[i].tensor, pieces[i].begin, pieces[i].size);
  });
}

// Whether `groups` groups of `count` tensors, which begin at number `first`, have the same sizes.
bool same_sizes(const Tensors& x, int64_t first, int64_t count, int groups) {
  for (int64_t tensor = first; tensor < first + count; ++tensor)
    for (int group = 1; group < groups; ++group)
      if (x.size(tensor + group * count) != x.size(tensor)) return false;
  return true;
}

}  // namespace

// settings (T, 5): rate, weight decay, decay of the mean square, momentum and epsilon of each tensor; then T weights,
// T mean squares, T moments, T gradients -> done (1). All but the gradients are changed in place.
OPERATOR(RMSPropUpdate) {
  const int64_t T = x.count > 0 ? x.dim(0, 0) : 0;
  EXPECT_TENSORS(2 + 4 * T);
  EXPECT(x.has_shape(0, {T, 5}) && same_sizes(x, 1, T, 4), WRONG_SHAPE);
  in_pieces(x, 1, T, [&](int64_t tensor, int64_t begin, int64_t size) {
    const float *settings = x[0] + 5 * tensor, *gradient = x[1 + 3 * T + tensor] + begin;
    const Vec rate = splat(settings[0]), weight_decay = splat(settings[1]), decay = splat(settings[2]);
    const Vec momentum = splat(settings[3]), epsilon = splat(settings[4]);
    float *weight = x[1 + tensor] + begin, *square = x[1 + T + tensor] + begin, *moment = x[1 + 2 * T + tensor] + begin;
    sweep(size, [&](int64_t i, int64_t n) {
      const Vec w = load(weight + i, n), g = load(gradient + i, n) + w * weight_decay, g2 = g * g;
      const Vec mean = (load(square + i, n) - g2) * decay + g2;
      const Vec move = load(moment + i, n) * momentum + g * rate / square_root(mean + epsilon);
      store(square + i, mean, n), store(moment + i, move, n), store(weight + i, w - move, n);
    });
  });
  *x[x.count - 1] = 0;
  return NONE;
}

// rate (1), T averages, T tensors -> done (1). average += rate * (tensor - average), in place.
OPERATOR(AverageUpdate) {
  const int64_t T = (x.count - 2) / 2;
  EXPECT_TENSORS(2 + 2 * T);
  EXPECT(x.size(0) == 1 && same_sizes(x, 1, T, 2), WRONG_SHAPE);
  const Vec rate = splat(*x[0]);
  in_pieces(x, 1, T, [&](int64_t tensor, int64_t begin, int64_t size) {
    float* average = x[1 + tensor] + begin;
    const float* now = x[1 + T + tensor] + begin;
    sweep(size, [&](int64_t i, int64_t n) {
      const Vec a = load(average + i, n);
      store(average + i, a + (load(now + i, n) - a) * rate, n);
    });
  });
  *x[x.count - 1] = 0;
  return NONE;
}
