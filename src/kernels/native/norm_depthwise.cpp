// The middle of an inverted residual in one pass over each channel: BatchNorm, activation, depthwise convolution,
// BatchNorm, activation. Maps between these steps stay in the cache; only what the gradient needs is written.
#include "depthwise.h"
#include "norm.h"
#include "operator.h"

namespace {

// Settings: those of the first norm (4), of the second (4), stride, 1 if padded as TensorFlow does.
struct Settings {
  NormSettings first, last;
  int stride;
  bool same;

  explicit Settings(const float* numbers)
      : first(numbers), last(numbers + 4), stride((int)numbers[8]), same(numbers[9] != 0) {}
  bool valid() const {
    return is_activation(first.activation) && is_activation(last.activation) && (stride == 1 || stride == 2);
  }
};

bool is_kernel(const Tensors& x, int64_t i, int64_t channels) {
  const int64_t K = x.dim(i, 2);
  return x.has_shape(i, {channels, 1, K, K}) && (K == 3 || K == 5 || K == 7);
}

}  // namespace

// x (N, C, H, W); gamma, beta, moving mean, moving variance (C) of the first norm; weight (C, 1, K, K); the same four
// of the second norm; settings (10) -> y, outputs of the convolution, statistics (2, C) of the first and of the second
// norm
OPERATOR(NormDepthwiseForward) {
  EXPECT_TENSORS(15);
  const int64_t N = x.dim(0, 0), C = x.dim(0, 1), H = x.dim(0, 2), W = x.dim(0, 3), K = x.dim(5, 2);
  EXPECT(x.ranks[0] == 4 && H * W > 0 && is_kernel(x, 5, C), WRONG_SHAPE);
  for (int i : {1, 2, 3, 4, 6, 7, 8, 9}) EXPECT(x.has_shape(i, {C}), WRONG_SHAPE);
  EXPECT(x.has_shape(10, {10}) && Settings(x[10]).valid(), WRONG_SETTING);
  const Settings settings(x[10]);
  const Layout l(H, W, (int)K, settings.stride, settings.same, N);
  const int64_t in = H * W, out = l.out_height * l.out_width;
  EXPECT(x.has_shape(11, {N, C, l.out_height, l.out_width}) && x.same_shape(12, 11), WRONG_SHAPE);
  EXPECT(x.has_shape(13, {2, C}) && x.has_shape(14, {2, C}), WRONG_SHAPE);
  for_each_channel(C, in, x.size(0), [&](int64_t c) {
    const auto map = [&](int tensor, int64_t n) { return x[tensor] + (n * C + c) * (tensor ? out : in); };
    Statistics before, behind;
    if (settings.first.of_batch) before.add_all(map(0, 0), N, in, C * in);
    const Norm first = norm_of(settings.first, before, x[1][c], x[2][c], x[3][c], x[4][c]);
    DepthwiseChannel channel(l, x[5] + c * K * K);
    float* active = scratch(3, in + LANES);
    for (int64_t begin = 0; begin < N; begin += l.images) {
      const int64_t maps = std::min(l.images, N - begin);
      for (int64_t i = 0; i < maps; ++i) {
        first.apply(map(0, begin + i), active, in);
        channel.set_input(i, active);
      }
      channel.forward(maps);
      for (int64_t i = 0; i < maps; ++i) channel.get_output(i, map(12, begin + i));
      if (settings.last.of_batch) behind.add(map(12, begin), maps, out, C * out);
    }
    const Norm last = norm_of(settings.last, behind, x[6][c], x[7][c], x[8][c], x[9][c]);
    for (int64_t n = 0; n < N; ++n) last.apply(map(12, n), map(11, n), out);
    x[13][c] = first.mean, x[13][C + c] = first.deviation, x[14][c] = last.mean, x[14][C + c] = last.deviation;
  });
  return NONE;
}

// x, gamma, beta of the first norm, weight, gamma, beta of the second norm, settings, outputs of the convolution,
// statistics of both norms, dy -> dx, dgamma, dbeta of the first norm, dweight, dgamma, dbeta of the second norm
OPERATOR(NormDepthwiseBackward) {
  EXPECT_TENSORS(17);
  const int64_t N = x.dim(0, 0), C = x.dim(0, 1), H = x.dim(0, 2), W = x.dim(0, 3), K = x.dim(3, 2);
  EXPECT(x.ranks[0] == 4 && H * W > 0 && is_kernel(x, 3, C), WRONG_SHAPE);
  for (int i : {1, 2, 4, 5, 12, 13, 15, 16}) EXPECT(x.has_shape(i, {C}), WRONG_SHAPE);
  EXPECT(x.has_shape(6, {10}) && Settings(x[6]).valid(), WRONG_SETTING);
  const Settings settings(x[6]);
  const Layout l(H, W, (int)K, settings.stride, settings.same, N);
  const int64_t in = H * W, out = l.out_height * l.out_width;
  EXPECT(x.has_shape(7, {N, C, l.out_height, l.out_width}) && x.same_shape(10, 7), WRONG_SHAPE);
  EXPECT(x.has_shape(8, {2, C}) && x.has_shape(9, {2, C}) && x.same_shape(11, 0) && x.same_shape(14, 3), WRONG_SHAPE);
  for_each_channel(C, in, x.size(0), [&](int64_t c) {
    const auto input = [&](int tensor, int64_t n) { return x[tensor] + (n * C + c) * in; };
    const auto output = [&](int tensor, int64_t n) { return x[tensor] + (n * C + c) * out; };
    const Norm first(x[8][c], x[8][C + c], x[1][c], x[2][c], settings.first.activation);
    const Norm last(x[9][c], x[9][C + c], x[4][c], x[5][c], settings.last.activation);
    NormGradient of_first(first), of_last(last);
    float *slopes = scratch(3, N * out), *active = scratch(4, in + LANES), *gradient = scratch(5, in + LANES);
    of_last.add_all(output(7, 0), output(10, 0), C * out, slopes, out, N, out);
    of_last.finish(settings.last.of_batch, (double)N * out);
    DepthwiseChannel channel(l, x[3] + c * K * K);
    channel.prepare_backward();
    float* derivatives = scratch(6, l.images * in + LANES);
    for (int64_t begin = 0; begin < N; begin += l.images) {
      const int64_t maps = std::min(l.images, N - begin);
      for (int64_t i = 0; i < maps; ++i) {
        first.apply(input(0, begin + i), active, derivatives + i * in, in);
        channel.set_input(i, active);
        const int64_t n = begin + i;
        of_last.input(output(7, n), settings.last.activation == LINEAR ? output(10, n) : slopes + n * out, gradient,
                      out);
        channel.set_gradient(i, gradient);
      }
      channel.backward(maps);
      for (int64_t i = 0; i < maps; ++i) {
        channel.get_input_gradient(i, gradient);
        of_first.add_with(input(0, begin + i), gradient, derivatives + i * in, input(11, begin + i), in);
      }
    }
    of_first.finish(settings.first.of_batch, (double)N * in);
    for (int64_t n = 0; n < N; ++n) of_first.input(input(0, n), input(11, n), input(11, n), in);
    x[12][c] = of_first.dgamma(), x[13][c] = of_first.dbeta();
    channel.get_weight_gradient(x[14] + c * K * K);
    x[15][c] = of_last.dgamma(), x[16][c] = of_last.dbeta();
  });
  return NONE;
}
