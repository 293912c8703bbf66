// The middle of an inverted residual with small maps. A task is a panel of channels, for all images.
#include "depthwise_panel.h"
#include "norm_depthwise.h"

namespace {

// Calls work(first channel, channels) for panels of up to LANES channels.
template <class F>
void for_each_panel(const Tensors& x, int64_t channels, F&& work) {
  parallel((channels + LANES - 1) / LANES, x.size(0),
           [&](int64_t task) { work(task * LANES, std::min<int64_t>(LANES, channels - task * LANES)); });
}

// Memory of a slot for `count` panels of `pixels` pixels.
float* panels(int slot, int64_t count, int64_t pixels) { return scratch(slot, count * pixels * LANES + PANEL_ROOM); }

// The norm of some channels, from the parameters and the statistics (2, C) that the forward pass has written.
Norm<Vec> norm_at(const float* statistics, int64_t C, const float* gamma, const float* beta, float activation,
                  int64_t first, int64_t channels) {
  return Norm<Vec>(load(statistics + first, channels), load(statistics + C + first, channels),
                   load(gamma + first, channels), load(beta + first, channels), activation);
}

}  // namespace

void forward_in_panels(const Tensors& x, const Middle& m) {
  const Layout& l = m.layout;
  const int64_t in = m.in * LANES, out = m.out * LANES, row = l.width * LANES;  // floats of a panel
  for_each_panel(x, m.C, [&](int64_t first, int64_t channels) {
    const auto map = [&](int tensor, int64_t n) { return x[tensor] + (n * m.C + first) * (tensor ? m.out : m.in); };
    const auto norm = [&](int i) {
      return NormTensors{x[i] + first, x[i + 1] + first, x[i + 2] + first, x[i + 3] + first};
    };
    const auto put_statistics = [&](int tensor, const Norm<Vec>& norm) {
      put(x[tensor] + first, norm.mean, channels), put(x[tensor] + m.C + first, norm.deviation, channels);
    };
    float *inputs = panels(3, m.N, m.in), *middles = panels(4, m.N, m.out), *active = panels(5, 1, m.out);
    for (int64_t n = 0; n < m.N; ++n) to_panel(map(0, n), channels, m.in, inputs + n * in);
    Statistics<Vec> before, behind;
    if (m.first.of_batch) before.add_all(inputs, m.N, in, in);
    const Norm<Vec> first_norm = norm_of(m.first, before, norm(1), channels);
    put_statistics(13, first_norm);
    DepthwisePanel convolution(l, x[5] + first * l.kernel * l.kernel, channels);
    for (int64_t n = 0; n < m.N; ++n) {
      for (int64_t y = 0; y < l.height; ++y) first_norm.apply(inputs + n * in + y * row, convolution.input(y), row);
      convolution.forward(middles + n * out);
    }
    pack(middles, channels, m.N * m.out, x[12] + first * m.N * m.out);
    if (m.last.of_batch) behind.add_all(middles, m.N, out, out);
    const Norm<Vec> last_norm = norm_of(m.last, behind, norm(6), channels);
    put_statistics(14, last_norm);
    for (int64_t n = 0; n < m.N; ++n) {
      last_norm.apply(middles + n * out, active, out);
      from_panel(active, channels, m.out, map(11, n));
    }
  });
}

void backward_in_panels(const Tensors& x, const Middle& m) {
  const Layout& l = m.layout;
  const int64_t in = m.in * LANES, out = m.out * LANES, row = l.width * LANES;
  for_each_panel(x, m.C, [&](int64_t first, int64_t channels) {
    const auto input = [&](int tensor, int64_t n) { return x[tensor] + (n * m.C + first) * m.in; };
    const Norm<Vec> first_norm = norm_at(x[8], m.C, x[1], x[2], m.first.activation, first, channels);
    const Norm<Vec> last_norm = norm_at(x[9], m.C, x[4], x[5], m.last.activation, first, channels);
    NormGradient<Vec> of_first(first_norm), of_last(last_norm);
    float *inputs = panels(2, m.N, m.in), *middles = panels(3, m.N, m.out), *slopes = panels(4, m.N, m.out);
    unpack(x[7] + first * m.N * m.out, channels, m.N * m.out, middles);
    for (int64_t n = 0; n < m.N; ++n) to_panel(x[10] + (n * m.C + first) * m.out, channels, m.out, slopes + n * out);
    of_last.add_all(middles, slopes, out, slopes, out, m.N, out);
    of_last.finish(m.last.of_batch, (double)m.N * m.out);
    DepthwisePanel convolution(l, x[3] + first * l.kernel * l.kernel, channels);
    convolution.prepare_backward();
    float *gradients = panels(5, m.N, m.in), *derivatives = panels(6, 1, m.in), *gradient = panels(7, 1, m.in);
    for (int64_t n = 0; n < m.N; ++n) {
      to_panel(input(0, n), channels, m.in, inputs + n * in);
      for (int64_t y = 0; y < l.height; ++y)
        first_norm.apply(inputs + n * in + y * row, convolution.input(y), derivatives + y * row, row);
      of_last.input(middles + n * out, slopes + n * out, slopes + n * out, out);
      convolution.backward(slopes + n * out, gradient);
      of_first.add_with(inputs + n * in, gradient, derivatives, gradients + n * in, in);
    }
    of_first.finish(m.first.of_batch, (double)m.N * m.in);
    for (int64_t n = 0; n < m.N; ++n) {
      of_first.input(inputs + n * in, gradients + n * in, gradient, in);
      from_panel(gradient, channels, m.in, input(11, n));
    }
    put(x[12] + first, of_first.dgamma(), channels), put(x[13] + first, of_first.dbeta(), channels);
    convolution.get_weight_gradient(x[14] + first * l.kernel * l.kernel);
    put(x[15] + first, of_last.dgamma(), channels), put(x[16] + first, of_last.dbeta(), channels);
  });
}
