// Depthwise convolution, forward and backward, of kernels up to 7x7 with stride 1 or 2. A task is a channel.
#include "depthwise.h"

#include "operator.h"

namespace {

// Settings are (stride, 1 if padded as TensorFlow does). `y` is the number of the output tensor or of its gradient.
Fault depthwise(const Tensors& x, int64_t y, bool backward) {
  const int64_t N = x.dim(0, 0), C = x.dim(0, 1), H = x.dim(0, 2), W = x.dim(0, 3), K = x.dim(1, 2);
  EXPECT(x.ranks[0] == 4 && x.has_shape(1, {C, 1, K, K}) && (K == 3 || K == 5 || K == 7), WRONG_SHAPE);
  EXPECT(x.has_shape(2, {2}) && (x[2][0] == 1 || x[2][0] == 2), WRONG_SETTING);
  const Layout l(H, W, (int)K, (int)x[2][0], x[2][1] != 0, N);
  const int64_t in = H * W, out = l.out_height * l.out_width;
  EXPECT(x.has_shape(y, {N, C, l.out_height, l.out_width}), WRONG_SHAPE);
  if (backward) EXPECT(x.same_shape(4, 0) && x.same_shape(5, 1), WRONG_SHAPE);
  for_each_channel(C, in, x.size(0), [&](int64_t c) {
    DepthwiseChannel channel(l, x[1] + c * K * K);
    if (backward) channel.prepare_backward();
    for (int64_t begin = 0; begin < N; begin += l.images) {
      const int64_t maps = std::min(l.images, N - begin);
      for (int64_t i = 0; i < maps; ++i) {
        const int64_t map = (begin + i) * C + c;
        channel.set_input(i, x[0] + map * in);
        if (backward) channel.set_gradient(i, x[3] + map * out);
      }
      backward ? channel.backward(maps) : channel.forward(maps);
      for (int64_t i = 0; i < maps; ++i) {
        const int64_t map = (begin + i) * C + c;
        backward ? channel.get_input_gradient(i, x[4] + map * in) : channel.get_output(i, x[3] + map * out);
      }
    }
    if (backward) channel.get_weight_gradient(x[5] + c * K * K);
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
