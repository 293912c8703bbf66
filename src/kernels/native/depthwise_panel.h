// The steps of a depthwise convolution of a panel: LANES channels of a small map at once.
#pragma once
#include <type_traits>

#include "depthwise_layout.h"
#include "panel.h"
#include "threads.h"

// B outputs side by side: out[b] = sum over taps of weight * in[S * b + tap]. `row` floats are between rows of inputs.
template <int K, int S, int B>
INLINE void correlate_panel(const float* in, int64_t row, const float* weights, float* out) {
  Vec sums[B] = {};
#pragma GCC unroll 7
  for (int y = 0; y < K; ++y) {
    Vec taps[K];
#pragma GCC unroll 7
    for (int x = 0; x < K; ++x) taps[x] = load(weights + (y * K + x) * LANES);
#pragma GCC unroll 16
    for (int x = 0; x < S * (B - 1) + K; ++x) {
      const Vec v = in_register(load(in + y * row + x * LANES));
#pragma GCC unroll 4
      for (int b = 0; b < B; ++b)
        if (x - S * b >= 0 && x - S * b < K) sums[b] += taps[x - S * b] * v;
    }
  }
#pragma GCC unroll 4
  for (int b = 0; b < B; ++b) store(out + b * LANES, sums[b]);
}

// The same for a whole panel of `height` x `width` outputs.
template <int K, int S>
INLINE void correlate_panels(const float* in, int64_t row, const float* weights, int64_t height, int64_t width,
                             float* out) {
  for (int64_t y = 0; y < height; ++y, in += S * row, out += width * LANES) {
    int64_t x = 0;
    for (; x + 4 <= width; x += 4) correlate_panel<K, S, 4>(in + S * x * LANES, row, weights, out + x * LANES);
    if (width - x >= 2) correlate_panel<K, S, 2>(in + S * x * LANES, row, weights, out + x * LANES), x += 2;
    if (width > x) correlate_panel<K, S, 1>(in + S * x * LANES, row, weights, out + x * LANES);
  }
}

// sums[tap] += sum over outputs of with * in, for ROWS_OF rows of taps.
template <int K, int ROWS_OF>
INLINE void dot_panel(const float* in, int64_t row, int stride, const float* with, int64_t height, int64_t width,
                      float* sums) {
  Vec own[ROWS_OF * K] = {};
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x, with += LANES) {
      const Vec factor = in_register(load(with));
      const float* from = in + y * stride * row + x * stride * LANES;
#pragma GCC unroll 7
      for (int r = 0; r < ROWS_OF; ++r)
#pragma GCC unroll 7
        for (int c = 0; c < K; ++c) own[r * K + c] += factor * load(from + r * row + c * LANES);
    }
#pragma GCC unroll 25
  for (int tap = 0; tap < ROWS_OF * K; ++tap) store(sums + tap * LANES, load(sums + tap * LANES) + own[tap]);
}

// The convolution of up to LANES channels, a panel at a time. It uses slots 0 and 1 of `scratch`.
class DepthwisePanel {
 public:
  DepthwisePanel(const Layout& layout, const float* weight, int64_t channels)
      : l_(layout),
        taps_(l_.kernel * l_.kernel),
        channels_(channels),
        row_(((l_.out_width - 1) * l_.stride + l_.kernel) * LANES),
        inputs_(cleared(0, ((l_.out_height - 1) * l_.stride + l_.kernel) * row_)) {
    to_panel(weight, channels, taps_, weights_);
  }

  // Pixel (y, 0) of the input, from where a row is written. Around it are zeros.
  float* input(int64_t y) const { return inputs_ + (y + l_.top) * row_ + l_.left * LANES; }

  void forward(float* out) const {
    with_kernel(
        l_, [&](auto k, auto s) { correlate_panels<k, s>(inputs_, row_, weights_, l_.out_height, l_.out_width, out); });
  }

  // Call this once before `backward`. With a stride, zeros are between the gradients, so that they are those of a
  // convolution with stride 1.
  void prepare_backward() {
    slope_row_ = row_ + (l_.kernel - 1) * LANES;
    slopes_ = cleared(1, ((l_.out_height - 1) * l_.stride + 2 * l_.kernel - 1) * slope_row_);
    for (int64_t tap = 0; tap < taps_; ++tap)
      store(reversed_ + (taps_ - 1 - tap) * LANES, load(weights_ + tap * LANES));
  }
  // Adds to the gradient of the weights, and computes that of the input.
  void backward(const float* dy, float* dx) {
    const int64_t around = l_.kernel - 1;
    for (int64_t y = 0; y < l_.out_height; ++y)
      for (int64_t x = 0; x < l_.out_width; ++x)
        store(slopes_ + (around + y * l_.stride) * slope_row_ + (around + x * l_.stride) * LANES,
              load(dy + (y * l_.out_width + x) * LANES));
    with_kernel(l_, [&](auto k, auto) {
      constexpr int MOST = std::clamp((LANES == 8 ? 11 : 25) / k, 1, +k), REST = k % MOST;
      int r = 0;
      for (; r + MOST <= k; r += MOST)
        dot_panel<k, MOST>(inputs_ + r * row_, row_, l_.stride, dy, l_.out_height, l_.out_width, dots_ + r * k * LANES);
      if constexpr (REST > 0)
        dot_panel<k, REST>(inputs_ + r * row_, row_, l_.stride, dy, l_.out_height, l_.out_width, dots_ + r * k * LANES);
      correlate_panels<k, 1>(slopes_ + l_.top * slope_row_ + l_.left * LANES, slope_row_, reversed_, l_.height,
                             l_.width, dx);
    });
  }
  void get_weight_gradient(float* dweight) const { from_panel(dots_, channels_, taps_, dweight); }

 private:
  static constexpr int64_t ROOM = (MOST_TAPS + LANES) * LANES;

  const Layout& l_;
  int64_t taps_, channels_, row_, slope_row_ = 0;
  float *inputs_, *slopes_ = nullptr;
  alignas(64) float weights_[ROOM], reversed_[ROOM], dots_[ROOM] = {};
};
