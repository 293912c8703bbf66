// One update of all parameters in one call: RMSProp, SGD, AdamW, and the moving average of the weights. A task is some
// pieces.
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

// Updates T weights: `count` numbers, T weight decays, then `groups` groups of T tensors, the weights first and the
// gradients last -> done (1). move(weight, gradient, weight decay, at, n) returns by how much weights shrink;
// at(group) points to the n floats of a group, which it may change.
template <class F>
Fault update(const Tensors& x, int64_t count, int groups, F move) {
  const int64_t T = x.count > 1 ? x.size(1) : 0;
  EXPECT_TENSORS(3 + groups * T);
  EXPECT(x.has_shape(0, {count}) && x.has_shape(1, {T}) && same_sizes(x, 2, T, groups), WRONG_SHAPE);
  in_pieces(x, 2, T, [&](int64_t tensor, int64_t begin, int64_t size) {
    const Vec decay = splat(x[1][tensor]);
    sweep(size, [&](int64_t i, int64_t n) {
      const auto at = [&](int group) { return x[2 + group * T + tensor] + begin + i; };
      const Vec weight = load(at(0), n);
      store(at(0), weight - move(weight, load(at(groups - 1), n), decay, at, n), n);
    });
  });
  *x[x.count - 1] = 0;
  return NONE;
}

// The next value of a running average that keeps the share `kept`.
INLINE Vec averaged(const float* average, Vec now, Vec kept, int64_t n) {
  return (load(average, n) - now) * kept + now;
}

}  // namespace

// Numbers: rate, decay of the mean square, momentum, epsilon. Groups: weights, mean squares, moments, gradients.
OPERATOR(RMSPropUpdate) {
  return update(x, 4, 4, [&](Vec weight, Vec gradient, Vec weight_decay, const auto& at, int64_t n) {
    const Vec rate = splat(x[0][0]), kept = splat(x[0][1]), momentum = splat(x[0][2]), epsilon = splat(x[0][3]);
    const Vec g = gradient + weight * weight_decay, square = averaged(at(1), g * g, kept, n);
    const Vec moment = load(at(2), n) * momentum + g * rate / square_root(square + epsilon);
    store(at(1), square, n), store(at(2), moment, n);
    return moment;
  });
}

// Numbers: rate, momentum, 1 for Nesterov's momentum. Groups: weights, moments, gradients.
OPERATOR(SGDUpdate) {
  return update(x, 3, 3, [&](Vec weight, Vec gradient, Vec weight_decay, const auto& at, int64_t n) {
    const Vec rate = splat(x[0][0]), momentum = splat(x[0][1]);
    const Vec g = gradient + weight * weight_decay, moment = load(at(1), n) * momentum + g;
    store(at(1), moment, n);
    return rate * (x[0][2] != 0 ? g + moment * momentum : moment);
  });
}

// Numbers: rate, 1 - beta1^t, 1 - beta2^t at step t, beta1, beta2, epsilon. Groups: weights, averages of the gradients
// and of their squares, gradients.
OPERATOR(AdamWUpdate) {
  return update(x, 6, 4, [&](Vec weight, Vec gradient, Vec weight_decay, const auto& at, int64_t n) {
    const Vec rate = splat(x[0][0]), correction1 = splat(x[0][1]), correction2 = splat(x[0][2]);
    const Vec average = averaged(at(1), gradient, splat(x[0][3]), n);
    const Vec square = averaged(at(2), gradient * gradient, splat(x[0][4]), n);
    store(at(1), average, n), store(at(2), square, n);
    const Vec change = average / correction1 / (square_root(square / correction2) + x[0][5]);
    return rate * (change + weight_decay * weight);
  });
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
