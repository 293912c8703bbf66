// The steps of a depthwise convolution of one channel: maps into the phases of their layout, sums, and back.
#pragma once
#include <type_traits>

#include "depthwise_layout.h"
#include "threads.h"

// Copies `count` floats; what is written behind them, up to a vector, is zero.
INLINE void copy_in(const float* from, float* to, int64_t count) {
  sweep(count, [&](int64_t i, int64_t n) { store(to + i, load(from + i, n)); });
}

// Stores n lanes. Floats behind them, up to a vector, are overwritten, but none from `end` on.
INLINE void put_out(float* to, Vec v, int64_t n, const float* end) {
  to + LANES <= end ? store(to, v) : store(to, v, n);
}
// Copies `count` floats in this way.
INLINE void copy_out(const float* from, float* to, int64_t count, const float* end) {
  sweep(count, [&](int64_t i, int64_t n) { put_out(to + i, load(from + i), n, end); });
}

// Copies a map to its place in the phases.
INLINE void spread(const Layout& l, const float* map, float* phases, int64_t image) {
  for (int64_t y = 0; y < l.height; ++y) {
    const float* from = map + y * l.width;
    float* even = phases + l.place(image, y, 0);
    if (l.stride == 1) {
      copy_in(from, even, l.width);
      continue;
    }
    float* odd = phases + l.place(image, y, 1);
    for (int64_t x = 0; x < l.width; x += 2 * LANES) {
      const int64_t n = l.width - x;
      const Vec a = load(from + x, std::min<int64_t>(n, LANES));
      const Vec b = n > LANES ? load(from + x + LANES, std::min<int64_t>(n - LANES, LANES)) : Vec{};
      store(even + x / 2, every_second<0>(a, b));
      store(odd + x / 2, every_second<1>(a, b));
    }
  }
}

// Copies a map from its place in the phases.
INLINE void gather(const Layout& l, const float* phases, float* map, int64_t image) {
  const float* end = map + l.height * l.width;
  for (int64_t y = 0; y < l.height; ++y) {
    float* to = map + y * l.width;
    const float* even = phases + l.place(image, y, 0);
    if (l.stride == 1) {
      copy_out(even, to, l.width, end);
      continue;
    }
    const float* odd = phases + l.place(image, y, 1);
    for (int64_t x = 0; x < l.width; x += 2 * LANES) {
      const Vec a = load(even + x / 2), b = load(odd + x / 2);
      const int64_t n = l.width - x;
      put_out(to + x, in_turns<0>(a, b), std::min<int64_t>(n, LANES), end);
      if (n > LANES) put_out(to + x + LANES, in_turns<1>(a, b), std::min<int64_t>(n - LANES, LANES), end);
    }
  }
}

// With stride S, the taps of a kernel of K x K read S * S phases. Those of a phase are a kernel of its own, of KY x KX
// taps with stride 1, and its weights lie behind those of the phase before.
template <int K, int S, int PHASE>
struct Part {
  static constexpr int KY = (K - PHASE / S + S - 1) / S, KX = (K - PHASE % S + S - 1) / S;
  static constexpr int first() {
    if constexpr (PHASE == 0)
      return 0;
    else
      return Part<K, S, PHASE - 1>::first() + Part<K, S, PHASE - 1>::KY * Part<K, S, PHASE - 1>::KX;
  }
};

// Calls f(constant) for each phase.
template <int S, class F>
INLINE void each_phase(F f) {
  f(std::integral_constant<int, 0>{});
  if constexpr (S == 2) {
    f(std::integral_constant<int, 1>{});
    f(std::integral_constant<int, 2>{});
    f(std::integral_constant<int, 3>{});
  }
}

// Outputs are computed in blocks of several rows. Each loaded vector is used for all outputs that it belongs to,
// because loads that cross lines of the cache are the slowest part. More rows are also more sums that do not wait for
// each other; weights and sums together have to fit the registers.
template <int K>
constexpr int BLOCK = LANES == 8 || K == 7 ? 4
                      : K == 5             ? 6
                                           : MOST_ROWS;

// Calls use(tap, row of the block, vector) for the inputs of a block of B rows at `from`, for COLUMNS columns of taps.
template <int B, int KY, int COLUMNS, class F>
INLINE void each_product(const float* from, int64_t row, F use) {
#pragma GCC unroll 16
  for (int r = 0; r < KY + B - 1; ++r)
#pragma GCC unroll 8
    for (int c = 0; c < COLUMNS; ++c) {
      const Vec v = in_register(load(from + r * row + c));
#pragma GCC unroll 8
      for (int b = 0; b < B; ++b)
        if (r - b >= 0 && r - b < KY) use((r - b) * COLUMNS + c, b, v);
    }
}

// out[i] = sum over phases and taps of weight * in[phase][i + y * row + x], for all i of `rows` rows, and for up to
// MOST_ROWS - 1 rows and a vector behind them.
template <int K, int S>
INLINE void correlate(const float* const* in, int64_t row, int64_t rows, const float* weight, float* out) {
  Vec weights[K * K];
#pragma GCC unroll 49
  for (int t = 0; t < K * K; ++t) weights[t] = splat(weight[t]);
  constexpr int B = BLOCK<K>;
  for (int64_t y = 0; y < rows; y += B)
    for (int64_t x = 0; x < row; x += LANES) {
      Vec sums[B] = {};
      each_phase<S>([&](auto phase) {
        using P = Part<K, S, phase>;
        each_product<B, P::KY, P::KX>(in[phase] + y * row + x, row,
                                      [&](int tap, int b, Vec v) { sums[b] += weights[P::first() + tap] * v; });
      });
      for (int b = 0; b < B; ++b) store(out + (y + b) * row + x, sums[b]);
    }
}

// The same for one phase alone, with its weights in reverse order.
template <int KY, int KX>
INLINE void correlate_reversed(const float* in, int64_t row, int64_t rows, const float* weight, float* out) {
  Vec weights[KY * KX];
#pragma GCC unroll 49
  for (int t = 0; t < KY * KX; ++t) weights[t] = splat(weight[KY * KX - 1 - t]);
  constexpr int B = BLOCK<std::max(KY, KX)>;
  for (int64_t y = 0; y < rows; y += B)
    for (int64_t x = 0; x < row; x += LANES) {
      Vec sums[B] = {};
      each_product<B, KY, KX>(in + y * row + x, row, [&](int tap, int b, Vec v) { sums[b] += weights[tap] * v; });
      for (int b = 0; b < B; ++b) store(out + (y + b) * row + x, sums[b]);
    }
}

// sums[y * KX + x] += sum over i of with[i] * in[i + y * row + x], for COLUMNS values of x from `first` on.
template <int KY, int KX, int COLUMNS>
INLINE void dot_columns(const float* in, int64_t row, int64_t rows, const float* with, double* sums, int first) {
  constexpr int B = 4;
  Vec partial[KY * COLUMNS] = {};
  for (int64_t y = 0; y < rows; y += B)
    for (int64_t x = 0; x < row; x += LANES) {
      Vec factors[B];
      for (int b = 0; b < B; ++b)  // what a vector holds behind its row is counted in the next row
        factors[b] = y + b < rows ? load(with + (y + b) * row + x, std::min<int64_t>(LANES, row - x)) : Vec{};
      each_product<B, KY, COLUMNS>(in + y * row + x + first, row,
                                   [&](int tap, int b, Vec v) { partial[tap] += factors[b] * v; });
    }
  for (int y = 0; y < KY; ++y)
    for (int c = 0; c < COLUMNS; ++c) sums[y * KX + first + c] += sum(partial[y * COLUMNS + c]);
}

// The same for all columns: as many at a time as there are registers for their sums.
template <int KY, int KX>
INLINE void dot(const float* in, int64_t row, int64_t rows, const float* with, double* sums) {
  constexpr int MOST = std::clamp((LANES == 8 ? 8 : 25) / KY, 1, KX), REST = KX % MOST;
  int column = 0;
  for (; column + MOST <= KX; column += MOST) dot_columns<KY, KX, MOST>(in, row, rows, with, sums, column);
  if constexpr (REST > 0) dot_columns<KY, KX, REST>(in, row, rows, with, sums, column);
}

// The convolution of one channel, for `layout.images` maps at a time. It uses slots 0 to 2 of `scratch`.
class DepthwiseChannel {
 public:
  DepthwiseChannel(const Layout& layout, const float* weight) : l_(layout), phases_(cleared(0, l_.phases * l_.length)) {
    for (int phase = 0; phase < l_.phases; ++phase) in_[phase] = phases_ + phase * l_.length;
    each_tap([&](int tap, int at) { weights_[at] = weight[tap]; });
  }

  // Sets the input map number i.
  void set_input(int64_t i, const float* map) { spread(l_, map, phases_, i); }

  // Computes the outputs of the first `maps` maps.
  void forward(int64_t maps) {
    out_ = scratch(1, l_.length);
    with_kernel(l_, [&](auto k, auto s) { correlate<k, s>(in_, l_.row, maps * l_.rows, weights_, out_); });
  }
  void get_output(int64_t i, float* map) const {
    for (int64_t row = 0; row < l_.out_height; ++row)
      copy_out(out_ + i * l_.block + row * l_.row, map + row * l_.out_width, l_.out_width,
               map + l_.out_height * l_.out_width);
  }

  // Call this once before the methods below.
  void prepare_backward() {
    const int64_t lead = (l_.reach + 15) / 16 * 16;  // zeros before the output gradients
    slopes_ = cleared(1, lead + l_.length) + lead;
    out_ = scratch(2, l_.phases * l_.length);
  }
  // Sets the gradient of the output map number i.
  void set_gradient(int64_t i, const float* map) {
    for (int64_t row = 0; row < l_.out_height; ++row)
      copy_in(map + row * l_.out_width, slopes_ + i * l_.block + row * l_.row, l_.out_width);
  }
  // Adds to the gradient of the weights, and computes that of the first `maps` input maps.
  void backward(int64_t maps) {
    const int64_t row = l_.row, rows = maps * l_.rows;
    with_kernel(l_, [&](auto k, auto s) {
      each_phase<s>([&](auto phase) {
        using P = Part<k, s, phase>;
        dot<P::KY, P::KX>(in_[phase], row, rows, slopes_, dots_ + P::first());
        correlate_reversed<P::KY, P::KX>(slopes_ - (P::KY - 1) * row - (P::KX - 1), row, rows, weights_ + P::first(),
                                         out_ + phase * l_.length);
      });
    });
  }
  void get_input_gradient(int64_t i, float* map) const { gather(l_, out_, map, i); }
  void get_weight_gradient(float* dweight) const {
    each_tap([&](int tap, int at) { dweight[tap] = (float)dots_[at]; });
  }

 private:
  // Calls f(tap, its place when the taps are ordered by phases).
  template <class F>
  void each_tap(F f) const {
    for (int phase = 0, at = 0; phase < l_.phases; ++phase)
      for (int y = phase / l_.stride; y < l_.kernel; y += l_.stride)
        for (int x = phase % l_.stride; x < l_.kernel; x += l_.stride) f(y * l_.kernel + x, at++);
  }

  const Layout& l_;
  float* phases_;
  float* slopes_ = nullptr;
  float* out_ = nullptr;
  const float* in_[4];
  float weights_[MOST_TAPS];
  double dots_[MOST_TAPS] = {};
};
