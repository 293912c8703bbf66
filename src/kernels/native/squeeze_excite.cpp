// Squeeze-excite: means of all channels, two small layers, a gate for each channel. A task is an image.
#include <vector>

#include "activations.h"
#include "operator.h"
#include "threads.h"

namespace {

// Activates `count` floats and gives the derivatives; both have room for a vector behind.
void activate_all(float activation, const float* from, int64_t count, float* values, float* slopes) {
  with_activation(activation, [&](auto known) {
    sweep(count, [&](int64_t i, int64_t n) {
      Vec slope;
      store(values + i, activate<known>(load(from + i, n), slope));
      store(slopes + i, slope);
    });
  });
}

float dot(const float* a, const float* b, int64_t count) {
  Vec s{};
  sweep(count, [&](int64_t i, int64_t n) { s += load(a + i, n) * load(b + i, n); });
  return sum(s);
}

// sums (rows, columns) = left^T right for left (N, rows) and right (N, columns); bias (rows) = sum of left over N.
void weight_gradient(int64_t N, int64_t rows, int64_t columns, const float* left, const float* right, float* sums,
                     float* bias) {
  constexpr int64_t GROUP = 8;
  parallel((rows + GROUP - 1) / GROUP, N * rows * columns, [&](int64_t task) {
    for (int64_t row = task * GROUP; row < std::min(rows, (task + 1) * GROUP); ++row) {
      bias[row] = 0;
      for (int64_t n = 0; n < N; ++n) bias[row] += left[n * rows + row];
      sweep(columns, [&](int64_t i, int64_t k) {
        Vec s{};
        for (int64_t n = 0; n < N; ++n) s += left[n * rows + row] * load(right + n * columns + i, k);
        store(sums + row * columns + i, s, k);
      });
    }
  });
}

}  // namespace

// x (N, C, H, W), weight1 (R, C, 1, 1), bias1 (R), weight2 (C, R, 1, 1), bias2 (C), settings (activation, gate)
// -> y, means (N, C), inner (N, R) before the activation, outer (N, C) before the gate
OPERATOR(SqueezeExciteForward) {
  EXPECT_TENSORS(10);
  const int64_t N = x.dim(0, 0), C = x.dim(0, 1), P = x.dim(0, 2) * x.dim(0, 3), R = x.size(2);
  EXPECT(x.ranks[0] == 4 && P > 0 && x.has_shape(1, {R, C, 1, 1}) && x.has_shape(3, {C, R, 1, 1}), WRONG_SHAPE);
  EXPECT(x.has_shape(5, {2}) && is_activation(x[5][0]) && is_activation(x[5][1]), WRONG_SETTING);
  EXPECT(x.has_shape(4, {C}) && x.same_shape(6, 0), WRONG_SHAPE);
  EXPECT(x.has_shape(7, {N, C}) && x.has_shape(8, {N, R}) && x.has_shape(9, {N, C}), WRONG_SHAPE);
  parallel(N, x.size(0), [&](int64_t n) {
    const float* from = x[0] + n * C * P;
    float *means = x[7] + n * C, *inner = x[8] + n * R, *outer = x[9] + n * C, *to = x[6] + n * C * P;
    float *active = scratch(0, R + LANES), *gates = scratch(1, C + LANES), *unused = scratch(2, R + C + LANES);
    for (int64_t c = 0; c < C; ++c) {
      Vec s{};
      sweep(P, [&](int64_t i, int64_t k) { s += load(from + c * P + i, k); });
      means[c] = sum(s) / P;
    }
    for (int64_t r = 0; r < R; ++r) inner[r] = dot(means, x[1] + r * C, C) + x[2][r];
    activate_all(x[5][0], inner, R, active, unused);
    for (int64_t c = 0; c < C; ++c) outer[c] = dot(active, x[3] + c * R, R) + x[4][c];
    activate_all(x[5][1], outer, C, gates, unused);
    for (int64_t c = 0; c < C; ++c) {
      const Vec gate = splat(gates[c]);
      sweep(P, [&](int64_t i, int64_t k) { store(to + c * P + i, load(from + c * P + i, k) * gate, k); });
    }
  });
  return NONE;
}

// x, weight1, weight2, settings, means, inner, outer, dy -> dx, dweight1, dbias1, dweight2, dbias2
OPERATOR(SqueezeExciteBackward) {
  EXPECT_TENSORS(13);
  const int64_t N = x.dim(0, 0), C = x.dim(0, 1), P = x.dim(0, 2) * x.dim(0, 3), R = x.dim(1, 0);
  EXPECT(x.ranks[0] == 4 && P > 0 && x.has_shape(1, {R, C, 1, 1}) && x.has_shape(2, {C, R, 1, 1}), WRONG_SHAPE);
  EXPECT(x.has_shape(3, {2}) && is_activation(x[3][0]) && is_activation(x[3][1]), WRONG_SETTING);
  EXPECT(x.has_shape(4, {N, C}) && x.has_shape(5, {N, R}) && x.has_shape(6, {N, C}), WRONG_SHAPE);
  EXPECT(x.same_shape(7, 0) && x.same_shape(8, 0) && x.same_shape(9, 1) && x.same_shape(11, 2), WRONG_SHAPE);
  EXPECT(x.has_shape(10, {R}) && x.has_shape(12, {C}), WRONG_SHAPE);
  std::vector<float> douter(N * C), dinner(N * R), active(N * R);
  parallel(N, x.size(0), [&](int64_t n) {
    const float *from = x[0] + n * C * P, *dy = x[7] + n * C * P;
    float *gates = scratch(0, C + LANES), *gate_slopes = scratch(1, C + LANES), *dmeans = scratch(2, C + LANES);
    float *values = scratch(3, R + LANES), *slopes = scratch(4, R + LANES), *dactive = scratch(5, R + LANES);
    float* dx = x[8] + n * C * P;
    activate_all(x[3][1], x[6] + n * C, C, gates, gate_slopes);
    activate_all(x[3][0], x[5] + n * R, R, values, slopes);
    std::fill_n(dactive, R + LANES, 0.f);
    for (int64_t c = 0; c < C; ++c) {
      const float d = douter[n * C + c] = dot(dy + c * P, from + c * P, P) * gate_slopes[c];
      sweep(R, [&](int64_t i, int64_t k) { store(dactive + i, load(dactive + i) + d * load(x[2] + c * R + i, k)); });
    }
    for (int64_t r = 0; r < R; ++r) active[n * R + r] = values[r], dinner[n * R + r] = dactive[r] * slopes[r];
    sweep(C, [&](int64_t i, int64_t k) {
      Vec s{};
      for (int64_t r = 0; r < R; ++r) s += dinner[n * R + r] * load(x[1] + r * C + i, k);
      store(dmeans + i, s * (1.f / P));
    });
    for (int64_t c = 0; c < C; ++c) {
      const Vec gate = splat(gates[c]), dmean = splat(dmeans[c]);
      sweep(P, [&](int64_t i, int64_t k) { store(dx + c * P + i, load(dy + c * P + i, k) * gate + dmean, k); });
    }
  });
  weight_gradient(N, R, C, dinner.data(), x[4], x[9], x[10]);
  weight_gradient(N, C, R, douter.data(), active.data(), x[11], x[12]);
  return NONE;
}
