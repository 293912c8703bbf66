// The first convolution of a network: few input channels, 3x3 to 7x7, stride 1 or 2. Its taps are the rows of a matrix.
#include <vector>

#include "depthwise.h"
#include "operator.h"
#include "products.h"

namespace {

// Settings are (stride, 1 if padded as TensorFlow does). `y` is the number of the output tensor or of its gradient.
Fault check(const Tensors& x, int64_t y) {
  const int64_t N = x.dim(0, 0), I = x.dim(0, 1), O = x.dim(1, 0), K = x.dim(1, 2);
  EXPECT(x.ranks[0] == 4 && x.has_shape(1, {O, I, K, K}) && (K == 3 || K == 5 || K == 7), WRONG_SHAPE);
  EXPECT(x.has_shape(2, {2}) && (x[2][0] == 1 || x[2][0] == 2), WRONG_SETTING);
  const int64_t S = (int64_t)x[2][0];
  EXPECT(x.has_shape(y, {N, O, (x.dim(0, 2) + S - 1) / S, (x.dim(0, 3) + S - 1) / S}), WRONG_SHAPE);
  return NONE;
}

// All channels of an image, laid out for shifted reads. It uses slot 2 of `scratch`.
class Image {
 public:
  Image(const Layout& layout, const float* image, int64_t channels) : taps_(channels * layout.kernel * layout.kernel) {
    const int64_t K = layout.kernel, S = layout.stride, size = layout.phases * layout.length;
    float* phases = cleared(2, channels * size);
    for (int64_t c = 0; c < channels; ++c) {
      spread(layout, image + c * layout.height * layout.width, phases + c * size, 0);
      for (int64_t y = 0; y < K; ++y)
        for (int64_t x = 0; x < K; ++x)
          taps_[(c * K + y) * K + x] =
              phases + c * size + (y % S * S + x % S) * layout.length + y / S * layout.row + x / S;
    }
  }
  // The inputs of tap number k of the matrix (outputs, channels * K * K), for the first output.
  const float* tap(int64_t k) const { return taps_[k]; }

 private:
  std::vector<const float*> taps_;
};

}  // namespace

// x (N, I, H, W), weight (O, I, K, K), settings -> y. A task is an image.
OPERATOR(StemForward) {
  EXPECT_TENSORS(4);
  if (const Fault fault = check(x, 3); fault != NONE) return fault;
  const int64_t N = x.dim(0, 0), I = x.dim(0, 1), H = x.dim(0, 2), W = x.dim(0, 3), O = x.dim(1, 0), K = x.dim(1, 2);
  const Layout l(H, W, (int)K, (int)x[2][0], x[2][1] != 0, 1);
  const int64_t taps = I * K * K, out = l.out_height * l.out_width;
  parallel(N, x.size(3), [&](int64_t n) {
    const Image image(l, x[0] + n * I * H * W, I);
    float* packed = scratch(0, taps * WIDTH);
    for (int64_t y = 0; y < l.out_height; ++y)
      for (int64_t begin = 0; begin < l.out_width; begin += WIDTH) {
        const int64_t columns = std::min<int64_t>(WIDTH, l.out_width - begin);
        for (int64_t k = 0; k < taps; ++k)
          for (int64_t i = 0; i < columns; i += LANES)
            store(packed + k * WIDTH + i, load(image.tap(k) + y * l.row + begin + i));
        for (int64_t o = 0; o < O; o += ROWS) {
          float* to = x[3] + (n * O + o) * out + y * l.out_width + begin;
          tile(std::min<int64_t>(ROWS, O - o), columns, Left<true>{x[1] + o * taps, taps, taps}, packed,
               [&](int row, int v, Vec sum) {
                 store(to + row * out + v * LANES, sum, std::min<int64_t>(LANES, columns - v * LANES));
               });
        }
      }
  });
  return NONE;
}

// x, weight, settings, dy -> dweight. A task is a part of the images.
OPERATOR(StemBackward) {
  EXPECT_TENSORS(5);
  if (const Fault fault = check(x, 3); fault != NONE) return fault;
  EXPECT(x.same_shape(4, 1), WRONG_SHAPE);
  const int64_t N = x.dim(0, 0), I = x.dim(0, 1), H = x.dim(0, 2), W = x.dim(0, 3), O = x.dim(1, 0), K = x.dim(1, 2);
  const Layout l(H, W, (int)K, (int)x[2][0], x[2][1] != 0, 1);
  const int64_t taps = I * K * K, out = l.out_height * l.out_width, parts = std::min<int64_t>(16, N);
  constexpr int64_t PIXELS = 128;
  PartialSums sums(parts, O, taps);
  parallel(parts, x.size(3), [&](int64_t part) {
    for (int64_t first = 0; first < taps; first += WIDTH) sums.cleared(part, 0, O, first);
    for (int64_t n = N * part / parts; n < N * (part + 1) / parts; ++n) {
      const Image image(l, x[0] + n * I * H * W, I);
      for (int64_t y = 0; y < l.out_height; ++y)
        for (int64_t p = 0; p < l.out_width; p += PIXELS)
          for (int64_t first = 0; first < taps; first += WIDTH)
            add_products(
                Left<true>{x[3] + n * O * out + y * l.out_width + p, out, std::min(PIXELS, l.out_width - p)}, O,
                [&](int64_t c, int64_t) { return image.tap(first + c) + y * l.row + p; },
                std::min<int64_t>(WIDTH, taps - first), sums.at(part, 0, first), sums.step());
    }
  });
  sums.write(x[4], false);
  return NONE;
}
