// Depthwise convolution, forward and backward, of kernels up to 7x7 with stride 1 or 2. A task is a channel.
#include "depthwise_layout.h"
#include "operator.h"
#include "threads.h"

namespace {

// Copies `count` floats; what is written behind them, up to a vector, is zero.
INLINE void copy_in(const float* from, float* to, int64_t count) {
  sweep(count, [&](int64_t i, int64_t n) { store(to + i, load(from + i, n)); });
}

// Copies `count` floats. Floats behind them, up to a vector, are overwritten, but none from `end` on.
INLINE void copy_out(const float* from, float* to, int64_t count, const float* end) {
  sweep(count, [&](int64_t i, int64_t n) {
    const Vec v = load(from + i);
    to + i + LANES <= end ? store(to + i, v) : store(to + i, v, n);
  });
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
      float both[2 * LANES];
      store(both, in_turns<0>(a, b)), store(both + LANES, in_turns<1>(a, b));
      copy_out(both, to + x, std::min<int64_t>(l.width - x, 2 * LANES), end);
    }
  }
}

// out[i] = sum over taps of weight[t] * in[t][i], for 0 <= i < count, and up to UNROLLED vectors behind.
INLINE void correlate(float* out, int64_t count, int taps, const float* const* in, const float* weight) {
  for (int64_t i = 0; i < count; i += UNROLLED * LANES) {
    Vec sums[UNROLLED] = {};
    for (int t = 0; t < taps; ++t) {
      const Vec w = splat(weight[t]);
      for (int k = 0; k < UNROLLED; ++k) sums[k] += w * load(in[t] + i + k * LANES);
    }
    for (int k = 0; k < UNROLLED; ++k) store(out + i + k * LANES, sums[k]);
  }
}

// sums[t] += the dot product of in[t] and `with`, for TAPS taps.
template <int TAPS>
INLINE void dot(const float* with, int64_t count, const float* const* in, double* sums) {
  Vec partial[TAPS] = {};
  sweep(count, [&](int64_t i, int64_t n) {
    const Vec w = load(with + i, n);
    for (int t = 0; t < TAPS; ++t) partial[t] += w * load(in[t] + i);
  });
  for (int t = 0; t < TAPS; ++t) sums[t] += sum(partial[t]);
}

INLINE void dot(const float* with, int64_t count, int taps, const float* const* in, double* sums) {
  int t = 0;
  if (taps == 9) return dot<9>(with, count, in, sums);
  for (; t + 5 <= taps; t += 5) dot<5>(with, count, in + t, sums + t);
  for (; t < taps; ++t) dot<1>(with, count, in + t, sums + t);
}

// The maps of one channel. Those of neighboring images are `step` (input) and `out_step` (output) floats apart.
struct Channel {
  const Layout& l;
  int64_t batch, step, out_step;
  float* phases;
  const float* in[MOST_TAPS];

  Channel(const Layout& l, int64_t batch, int64_t step, int64_t out_step)
      : l(l), batch(batch), step(step), out_step(out_step), phases(cleared(0, l.phases * l.length)) {
    for (int t = 0; t < l.taps; ++t) in[t] = phases + l.phase[t] * l.length + l.offset[t];
  }

  void forward(const float* x, const float* weight, float* y) {
    float* out = scratch(1, l.length);
    for (int64_t first = 0; first < batch; first += l.images) {
      const int64_t maps = std::min(l.images, batch - first);
      for (int64_t i = 0; i < maps; ++i) spread(l, x + (first + i) * step, phases, i);
      correlate(out, l.outputs(maps), l.taps, in, weight);
      for (int64_t i = 0; i < maps; ++i) {
        float* map = y + (first + i) * out_step;
        for (int64_t row = 0; row < l.out_height; ++row)
          copy_out(out + i * l.block + row * l.row, map + row * l.out_width, l.out_width,
                   map + l.out_height * l.out_width);
      }
    }
  }

  void backward(const float* x, const float* weight, const float* dy, float* dx, float* dweight) {
    const int64_t lead = (l.reach + 15) / 16 * 16;  // zeros before the output gradients
    float* slopes = cleared(1, lead + l.length) + lead;
    float* dphases = scratch(2, l.phases * l.length);
    double dots[MOST_TAPS] = {};
    for (int64_t first = 0; first < batch; first += l.images) {
      const int64_t maps = std::min(l.images, batch - first);
      for (int64_t i = 0; i < maps; ++i) {
        spread(l, x + (first + i) * step, phases, i);
        for (int64_t row = 0; row < l.out_height; ++row)
          copy_in(dy + (first + i) * out_step + row * l.out_width, slopes + i * l.block + row * l.row, l.out_width);
      }
      dot(slopes, l.outputs(maps), l.taps, in, dots);
      for (int phase = 0; phase < l.phases; ++phase) input_gradient(phase, maps, weight, slopes, dphases);
      for (int64_t i = 0; i < maps; ++i) gather(l, dphases, dx + (first + i) * step, i);
    }
    for (int t = 0; t < l.taps; ++t) dweight[t] = (float)dots[t];
  }

 private:
  static float* cleared(int slot, int64_t count) {
    float* memory = scratch(slot, count);
    std::memset(memory, 0, count * sizeof(float));
    return memory;
  }

  // The gradient of a phase: only its own taps have read it.
  void input_gradient(int phase, int64_t maps, const float* weight, const float* slopes, float* dphases) const {
    const float* seen[MOST_TAPS];
    float weights[MOST_TAPS];
    int count = 0;
    for (int t = 0; t < l.taps; ++t)
      if (l.phase[t] == phase) seen[count] = slopes - l.offset[t], weights[count++] = weight[t];
    correlate(dphases + phase * l.length, maps * l.block, count, seen, weights);
  }
};

// Settings are (stride, 1 if padded as TensorFlow does). `y` is the number of the output tensor or of its gradient.
Fault depthwise(const Tensors& x, int64_t y, bool backward) {
  const int64_t N = x.dim(0, 0), C = x.dim(0, 1), H = x.dim(0, 2), W = x.dim(0, 3), K = x.dim(1, 2);
  EXPECT(x.ranks[0] == 4 && x.has_shape(1, {C, 1, K, K}) && K % 2 == 1 && K * K <= MOST_TAPS, WRONG_SHAPE);
  EXPECT(x.has_shape(2, {2}) && (x[2][0] == 1 || x[2][0] == 2), WRONG_SETTING);
  const Layout layout(H, W, (int)K, (int)x[2][0], x[2][1] != 0, N);
  const int64_t out = layout.out_height * layout.out_width;
  EXPECT(x.has_shape(y, {N, C, layout.out_height, layout.out_width}), WRONG_SHAPE);
  if (backward) EXPECT(x.same_shape(4, 0) && x.same_shape(5, 1), WRONG_SHAPE);
  for_each_channel(C, H * W, x.size(0), [&](int64_t c) {
    Channel channel(layout, N, C * H * W, C * out);
    const float *input = x[0] + c * H * W, *weight = x[1] + c * K * K;
    if (backward)
      channel.backward(input, weight, x[3] + c * out, x[4] + c * H * W, x[5] + c * K * K);
    else
      channel.forward(input, weight, x[3] + c * out);
  });
  return NONE;
}

}  // namespace

// x (N, C, H, W), weight (C, 1, K, K), settings -> y
OPERATOR(DepthwiseForward) {
  EXPECT_TENSORS(4);
  return depthwise(x, 3, false);
}

// x, weight, settings, dy -> dx, dweight
OPERATOR(DepthwiseBackward) {
  EXPECT_TENSORS(6);
  return depthwise(x, 3, true);
}
