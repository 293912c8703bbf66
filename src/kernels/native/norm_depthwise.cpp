// The middle of an inverted residual in one pass over each channel. Maps between its steps stay in the cache; only what
// the gradient needs is written.
#include "norm_depthwise.h"

#include "depthwise.h"

namespace {

bool is_kernel(const Tensors& x, int64_t i, int64_t channels) {
  const int64_t K = x.dim(i, 2);
  return x.has_shape(i, {channels, 1, K, K}) && (K == 3 || K == 5 || K == 7);
}

bool are_settings(const Tensors& x, int64_t i) {
  return x.has_shape(i, {10}) && is_activation(x[i][3]) && is_activation(x[i][7]) && (x[i][8] == 1 || x[i][8] == 2);
}

// Whether panels are faster, as measured. Those of larger maps do not stay in the cache.
bool are_small(const Middle& m) { return m.out <= 256; }

void forward(const Tensors& x, const Middle& m) {
  const int64_t N = m.N, C = m.C, in = m.in, out = m.out;
  const Layout& l = m.layout;
  for_each_channel(C, in, x.size(0), [&](int64_t c) {
    const auto map = [&](int tensor, int64_t n) { return x[tensor] + (n * C + c) * (tensor ? out : in); };
    const auto norm = [&](int i) { return NormTensors{x[i] + c, x[i + 1] + c, x[i + 2] + c, x[i + 3] + c}; };
    Statistics<float> before, behind;
    if (m.first.of_batch) before.add_all(map(0, 0), N, in, C * in);
    const Norm<float> first = norm_of(m.first, before, norm(1));
    DepthwiseChannel channel(l, x[5] + c * l.kernel * l.kernel);
    float* active = scratch(3, in + LANES);
    for (int64_t begin = 0; begin < N; begin += l.images) {
      const int64_t maps = std::min(l.images, N - begin);
      for (int64_t i = 0; i < maps; ++i) {
        first.apply(map(0, begin + i), active, in);
        channel.set_input(i, active);
      }
      channel.forward(maps);
      for (int64_t i = 0; i < maps; ++i) channel.get_output(i, map(12, begin + i));
      if (m.last.of_batch) behind.add(map(12, begin), maps, out, C * out);
    }
    const Norm<float> last = norm_of(m.last, behind, norm(6));
    for (int64_t n = 0; n < N; ++n) last.apply(map(12, n), map(11, n), out);
    x[13][c] = first.mean, x[13][C + c] = first.deviation, x[14][c] = last.mean, x[14][C + c] = last.deviation;
  });
}

void backward(const Tensors& x, const Middle& m) {
  const int64_t N = m.N, C = m.C, in = m.in, out = m.out;
  const Layout& l = m.layout;
  const int64_t taps = l.kernel * l.kernel;
  for_each_channel(C, in, x.size(0), [&](int64_t c) {
    const auto input = [&](int tensor, int64_t n) { return x[tensor] + (n * C + c) * in; };
    const auto output = [&](int tensor, int64_t n) { return x[tensor] + (n * C + c) * out; };
    const Norm<float> first(x[8][c], x[8][C + c], x[1][c], x[2][c], m.first.activation);
    const Norm<float> last(x[9][c], x[9][C + c], x[4][c], x[5][c], m.last.activation);
    NormGradient<float> of_last(last), of_first(first);
    float *slopes = scratch(3, N * out), *active = scratch(4, in + LANES), *gradient = scratch(5, in + LANES);
    of_last.add_all(output(7, 0), output(10, 0), C * out, slopes, out, N, out);
    of_last.finish(m.last.of_batch, (double)N * out);
    DepthwiseChannel channel(l, x[3] + c * taps);
    channel.prepare_backward();
    float* derivatives = scratch(6, l.images * in + LANES);
    for (int64_t begin = 0; begin < N; begin += l.images) {
      const int64_t maps = std::min(l.images, N - begin);
      for (int64_t i = 0; i < maps; ++i) {
        first.apply(input(0, begin + i), active, derivatives + i * in, in);
        channel.set_input(i, active);
        const int64_t n = begin + i;
        of_last.input(output(7, n), m.last.activation == LINEAR ? output(10, n) : slopes + n * out, gradient, out);
        channel.set_gradient(i, gradient);
      }
      channel.backward(maps);
      for (int64_t i = 0; i < maps; ++i) {
        channel.get_input_gradient(i, gradient);
        of_first.add_with(input(0, begin + i), gradient, derivatives + i * in, input(11, begin + i), in);
      }
    }
    of_first.finish(m.first.of_batch, (double)N * in);
    for (int64_t n = 0; n < N; ++n) of_first.input(input(0, n), input(11, n), input(11, n), in);
    x[12][c] = of_first.dgamma(), x[13][c] = of_first.dbeta();
    channel.get_weight_gradient(x[14] + c * taps);
    x[15][c] = of_last.dgamma(), x[16][c] = of_last.dbeta();
  });
}

}  // namespace

// x (N, C, H, W); gamma, beta, moving mean, moving variance (C) of the first norm; weight (C, 1, K, K); the same four
// of the second norm; settings (10) -> y; outputs of the convolution, in an order that only the backward pass knows;
// statistics (2, C) of the first and of the second norm
OPERATOR(NormDepthwiseForward) {
  EXPECT_TENSORS(15);
  const int64_t N = x.dim(0, 0), C = x.dim(0, 1), P = x.dim(0, 2) * x.dim(0, 3);
  EXPECT(x.ranks[0] == 4 && P > 0 && is_kernel(x, 5, C), WRONG_SHAPE);
  for (int i : {1, 2, 3, 4, 6, 7, 8, 9}) EXPECT(x.has_shape(i, {C}), WRONG_SHAPE);
  EXPECT(are_settings(x, 10), WRONG_SETTING);
  const Middle middle(x, x.dim(5, 2), x[10]);
  EXPECT(x.has_shape(11, {N, C, middle.layout.out_height, middle.layout.out_width}), WRONG_SHAPE);
  EXPECT(x.same_shape(12, 11) && x.has_shape(13, {2, C}) && x.has_shape(14, {2, C}), WRONG_SHAPE);
  are_small(middle) ? forward_in_panels(x, middle) : forward(x, middle);
  return NONE;
}

// x, gamma, beta of the first norm, weight, gamma, beta of the second norm, settings, outputs of the convolution,
// statistics of both norms, dy -> dx, dgamma, dbeta of the first norm, dweight, dgamma, dbeta of the second norm
OPERATOR(NormDepthwiseBackward) {
  EXPECT_TENSORS(17);
  const int64_t N = x.dim(0, 0), C = x.dim(0, 1), P = x.dim(0, 2) * x.dim(0, 3);
  EXPECT(x.ranks[0] == 4 && P > 0 && is_kernel(x, 3, C), WRONG_SHAPE);
  for (int i : {1, 2, 4, 5, 12, 13, 15, 16}) EXPECT(x.has_shape(i, {C}), WRONG_SHAPE);
  EXPECT(are_settings(x, 6), WRONG_SETTING);
  const Middle middle(x, x.dim(3, 2), x[6]);
  EXPECT(x.has_shape(7, {N, C, middle.layout.out_height, middle.layout.out_width}), WRONG_SHAPE);
  EXPECT(x.same_shape(10, 7) && x.has_shape(8, {2, C}) && x.has_shape(9, {2, C}), WRONG_SHAPE);
  EXPECT(x.same_shape(11, 0) && x.same_shape(14, 3), WRONG_SHAPE);
  are_small(middle) ? backward_in_panels(x, middle) : backward(x, middle);
  return NONE;
}
