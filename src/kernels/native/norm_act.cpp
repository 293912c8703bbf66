// BatchNorm and the activation behind it, forward and backward. A task is a channel, which stays in the second cache.
#include "activations.h"
#include "operator.h"
#include "threads.h"

namespace {

struct Moments {
  double mean, variance;
};

// The maps of one channel: `maps` times `pixels` floats, which are `step` floats apart.
struct Channel {
  int64_t maps, pixels, step;

  template <class F>
  INLINE void each(int64_t begin, int64_t end, F f) const {
    for (int64_t map = begin; map < end; ++map)
      sweep(pixels, [&](int64_t i, int64_t n) { f(map * step + i, n); });
  }

  // Groups of maps have about 1024 floats, which are read twice from the first cache: around their own mean, the sum of
  // squares is exact enough in float. The groups are put together in double.
  Moments moments(const float* x) const {
    const int64_t group = std::max<int64_t>(1, 1024 / pixels);
    double total = 0, squares = 0;
    for (int64_t begin = 0; begin < maps; begin += group) {
      const int64_t end = std::min(begin + group, maps), count = (end - begin) * pixels;
      Vec sums{}, deviations{};
      each(begin, end, [&](int64_t at, int64_t n) { sums += load(x + at, n); });
      const double own = (double)sum(sums) / count;
      const Vec center = splat((float)own);
      each(begin, end, [&](int64_t at, int64_t n) {
        const Vec distance = first(load(x + at, n) - center, n);
        deviations += distance * distance;
      });
      // `center` is rounded: what the rounding adds to the deviations is part of them, so it is subtracted again.
      const double rounding = own - (float)own;
      const double between = begin ? own - total / (begin * pixels) : 0;  // Chan, Golub and LeVeque (1979)
      squares += sum(deviations) - count * rounding * rounding;
      squares += between * between * count * (begin * pixels) / (double)(begin * pixels + count);
      total += own * count;
    }
    return {total / (maps * pixels), std::max(0., squares / (maps * pixels))};
  }
};

}  // namespace

// x (N, C, H, W), gamma, beta, moving mean, moving variance (C), settings (share of the moving statistics that is kept,
// epsilon, 1 if the statistics are those of the batch, activation) -> y, statistics (2, C): mean and 1 / deviation.
// With statistics of the batch, the moving ones are changed in place.
OPERATOR(NormActForward) {
  EXPECT_TENSORS(8);
  const int64_t N = x.dim(0, 0), C = x.dim(0, 1), P = x.dim(0, 2) * x.dim(0, 3);
  EXPECT(x.ranks[0] == 4 && P > 0 && x.same_shape(6, 0) && x.has_shape(7, {2, C}), WRONG_SHAPE);
  for (int i = 1; i < 5; ++i) EXPECT(x.has_shape(i, {C}), WRONG_SHAPE);
  EXPECT(x.has_shape(5, {4}), WRONG_SETTING);
  const double kept = x[5][0], epsilon = x[5][1];
  const bool of_batch = x[5][2] != 0;
  const Channel channel{N, P, C * P};
  const bool known = with_activation(x[5][3], [&](auto activation) {
    for_each_channel(C, P, x.size(0), [&](int64_t c) {
      const float* from = x[0] + c * P;
      float* to = x[6] + c * P;
      Moments m{x[3][c], x[4][c]};
      if (of_batch) {
        m = channel.moments(from);
        const double count = (double)N * P, unbiased = m.variance * count / std::max(1., count - 1);
        x[3][c] = (float)(kept * x[3][c] + (1 - kept) * m.mean);
        x[4][c] = (float)(kept * x[4][c] + (1 - kept) * unbiased);
      }
      x[7][c] = (float)m.mean, x[7][C + c] = (float)(1 / std::sqrt(m.variance + epsilon));
      const Vec mean = splat(x[7][c]), scale = splat(x[7][C + c] * x[1][c]), beta = splat(x[2][c]);
      channel.each(0, N, [&](int64_t at, int64_t n) {
        store(to + at, activate<activation>((load(from + at, n) - mean) * scale + beta), n);
      });
    });
  });
  return known ? NONE : WRONG_SETTING;
}

// x, gamma, beta, statistics, settings, dy -> dx, dgamma, dbeta
OPERATOR(NormActBackward) {
  EXPECT_TENSORS(9);
  const int64_t N = x.dim(0, 0), C = x.dim(0, 1), P = x.dim(0, 2) * x.dim(0, 3);
  EXPECT(x.ranks[0] == 4 && P > 0 && x.same_shape(5, 0) && x.same_shape(6, 0), WRONG_SHAPE);
  EXPECT(x.has_shape(1, {C}) && x.has_shape(2, {C}) && x.has_shape(3, {2, C}), WRONG_SHAPE);
  EXPECT(x.has_shape(4, {4}) && x.has_shape(7, {C}) && x.has_shape(8, {C}), WRONG_SETTING);
  const bool of_batch = x[4][2] != 0;
  const Channel channel{N, P, C * P};
  const bool known = with_activation(x[4][3], [&](auto activation) {
    for_each_channel(C, P, x.size(0), [&](int64_t c) {
      const float *from = x[0] + c * P, *dy = x[5] + c * P, deviation = x[3][C + c];
      float* dx = x[6] + c * P;
      const Vec mean = splat(x[3][c]), scale = splat(deviation * x[1][c]), beta = splat(x[2][c]);
      double total = 0, moment = 0;  // sums of the gradient before the activation, and of it times the normalized input
      const int64_t group = std::max<int64_t>(1, 1024 / P);
      for (int64_t begin = 0; begin < N; begin += group) {
        Vec t{}, m{};
        channel.each(begin, std::min(begin + group, N), [&](int64_t at, int64_t n) {
          const Vec centered = load(from + at, n) - mean;
          Vec d = load(dy + at, n);
          if constexpr (activation != LINEAR) {
            Vec slope;
            activate<activation>(centered * scale + beta, slope);
            d *= slope;
            store(dx + at, d, n);
          }
          t += d, m += d * centered;
        });
        total += sum(t), moment += (double)sum(m) * deviation;
      }
      x[7][c] = (float)moment, x[8][c] = (float)total;
      const float* d = activation == LINEAR ? dy : dx;
      const double count = (double)N * P;  // moving statistics do not depend on the input
      const Vec shift = splat(of_batch ? (float)(total / count) : 0.f);
      const Vec tilt = splat(of_batch ? (float)(moment / count * deviation) : 0.f);
      channel.each(0, N, [&](int64_t at, int64_t n) {
        store(dx + at, scale * (load(d + at, n) - shift - (load(from + at, n) - mean) * tilt), n);
      });
    });
  });
  return known ? NONE : WRONG_SETTING;
}
