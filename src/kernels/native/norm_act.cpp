// BatchNorm and the activation behind it, forward and backward. A task is a channel, which stays in the second cache.
#include "norm.h"
#include "operator.h"
#include "threads.h"

// x (N, C, H, W), gamma, beta, moving mean, moving variance (C), settings (share of the moving statistics that is kept,
// epsilon, 1 if the statistics are those of the batch, activation) -> y, statistics (2, C): mean and 1 / deviation.
// With statistics of the batch, the moving ones are changed in place.
OPERATOR(NormActForward) {
  EXPECT_TENSORS(8);
  const int64_t N = x.dim(0, 0), C = x.dim(0, 1), P = x.dim(0, 2) * x.dim(0, 3);
  EXPECT(x.ranks[0] == 4 && P > 0 && x.same_shape(6, 0) && x.has_shape(7, {2, C}), WRONG_SHAPE);
  for (int i = 1; i < 5; ++i) EXPECT(x.has_shape(i, {C}), WRONG_SHAPE);
  EXPECT(x.has_shape(5, {4}) && is_activation(x[5][3]), WRONG_SETTING);
  const NormSettings settings(x[5]);
  for_each_channel(C, P, x.size(0), [&](int64_t c) {
    Statistics<float> batch;
    if (settings.of_batch) batch.add_all(x[0] + c * P, N, P, C * P);
    const Norm<float> norm = norm_of(settings, batch, NormTensors{x[1] + c, x[2] + c, x[3] + c, x[4] + c});
    x[7][c] = norm.mean, x[7][C + c] = norm.deviation;
    for (int64_t n = 0; n < N; ++n) norm.apply(x[0] + (n * C + c) * P, x[6] + (n * C + c) * P, P);
  });
  return NONE;
}

// x, gamma, beta, statistics, settings, dy -> dx, dgamma, dbeta
OPERATOR(NormActBackward) {
  EXPECT_TENSORS(9);
  const int64_t N = x.dim(0, 0), C = x.dim(0, 1), P = x.dim(0, 2) * x.dim(0, 3);
  EXPECT(x.ranks[0] == 4 && P > 0 && x.same_shape(5, 0) && x.same_shape(6, 0), WRONG_SHAPE);
  EXPECT(x.has_shape(1, {C}) && x.has_shape(2, {C}) && x.has_shape(3, {2, C}), WRONG_SHAPE);
  EXPECT(x.has_shape(4, {4}) && is_activation(x[4][3]), WRONG_SETTING);
  EXPECT(x.has_shape(7, {C}) && x.has_shape(8, {C}), WRONG_SHAPE);
  const NormSettings settings(x[4]);
  for_each_channel(C, P, x.size(0), [&](int64_t c) {
    NormGradient<float> gradient(Norm<float>(x[3][c], x[3][C + c], x[1][c], x[2][c], settings.activation));
    const auto map = [&](int tensor, int64_t n) { return x[tensor] + (n * C + c) * P; };
    gradient.add_all(map(0, 0), map(5, 0), C * P, map(6, 0), C * P, N, P);
    gradient.finish(settings.of_batch, (double)N * P);
    const int before = settings.activation == LINEAR ? 5 : 6;
    for (int64_t n = 0; n < N; ++n) gradient.input(map(0, n), map(before, n), map(6, n), P);
    x[7][c] = gradient.dgamma(), x[8][c] = gradient.dbeta();
  });
  return NONE;
}
