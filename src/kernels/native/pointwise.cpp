// 1x1 convolution, forward and backward: products of the weights and of maps as matrices (channels, pixels).
#include "operator.h"
#include "products.h"

namespace {

// A run of columns of all images: columns `begin` to `begin + count - 1`, where image n has n * pixels to n * pixels +
// pixels - 1. Calls use(image, pixel, offset in the run, length) for the part in each image.
template <class F>
INLINE void in_images(int64_t begin, int64_t count, int64_t pixels, F use) {
  for (int64_t done = 0; done < count;) {
    const int64_t pixel = (begin + done) % pixels, length = std::min(pixels - pixel, count - done);
    use((begin + done) / pixels, pixel, done, length);
    done += length;
  }
}

// y (N, outputs, P) = matrix * x (N, inputs, P), where element (o, i) of the matrix is weight[o * inputs + i], or with
// `transposed` weight[i * outputs + o]. A task is some tiles of columns, whose inputs are packed first.
void multiply(const float* x, const float* weight, float* y, int64_t N, int64_t inputs, int64_t outputs, int64_t P,
              bool transposed) {
  constexpr int64_t GROUP = 8;  // tiles of a task
  const int64_t columns = N * P, tiles = (columns + WIDTH - 1) / WIDTH;
  parallel((tiles + GROUP - 1) / GROUP, columns * inputs, [&](int64_t task) {
    float* packed = scratch(0, inputs * WIDTH);
    float* results = scratch(1, ROWS * WIDTH);
    for (int64_t t = task * GROUP; t < std::min(tiles, (task + 1) * GROUP); ++t) {
      const int64_t begin = t * WIDTH, count = std::min<int64_t>(WIDTH, columns - begin);
      in_images(begin, count, P, [&](int64_t image, int64_t pixel, int64_t at, int64_t length) {
        const float* from = x + image * inputs * P + pixel;
        for (int64_t i = 0; i < inputs; ++i)
          sweep(length,
                [&](int64_t j, int64_t n) { store(packed + i * WIDTH + at + j, load(from + i * P + j, n), n); });
      });
      for (int64_t o = 0; o < outputs; o += ROWS) {
        const int64_t rows = std::min<int64_t>(ROWS, outputs - o);
        const bool is_whole = count == WIDTH && begin % P + WIDTH <= P;  // in one image: stored where it belongs
        float* to = is_whole ? y + (begin / P * outputs + o) * P + begin % P : results;
        const int64_t step = is_whole ? P : WIDTH;
        const auto put = [&](int row, int v, Vec sum) { store(to + row * step + v * LANES, sum); };
        if (transposed)
          tile<false>(rows, count, weight + o, outputs, packed, inputs, put);
        else
          tile<true>(rows, count, weight + o * inputs, inputs, packed, inputs, put);
        if (!is_whole)
          in_images(begin, count, P, [&](int64_t image, int64_t pixel, int64_t at, int64_t length) {
            float* to = y + (image * outputs + o) * P + pixel;
            for (int64_t row = 0; row < rows; ++row)
              sweep(length,
                    [&](int64_t j, int64_t n) { store(to + row * P + j, load(results + row * WIDTH + at + j, n), n); });
          });
      }
    }
  });
}

// Maps of an image as a matrix (channels, pixels).
struct Maps {
  const float* data;
  int64_t channels;
};

// product (left.channels, right.channels) = sum over N images of left * right^T, or its transpose. A task is a part of
// the images and WIDTH channels of `right`.
void multiply_transposed(Maps left, Maps right, int64_t N, int64_t P, float* product, bool transposed) {
  constexpr int64_t PIXELS = 128;  // of a packed block: 24 KB with 48 columns, which stay in the first cache
  const int64_t tiles = (right.channels + WIDTH - 1) / WIDTH, parts = std::clamp<int64_t>(16 / tiles, 1, N);
  PartialSums sums(parts, left.channels, right.channels);
  parallel(parts * tiles, N * P * (left.channels + right.channels), [&](int64_t task) {
    const int64_t part = task / tiles, first = task % tiles * WIDTH;
    const int64_t columns = std::min<int64_t>(WIDTH, right.channels - first);
    for (int64_t n = N * part / parts; n < N * (part + 1) / parts; ++n)
      for (int64_t p = 0; p < P; p += PIXELS) {
        const auto pixels_of = [&](int64_t c) { return right.data + (n * right.channels + first + c) * P + p; };
        add_products(left.data + n * left.channels * P + p, P, left.channels, pixels_of, columns,
                     std::min(PIXELS, P - p), sums.part(part) + first, sums.step());
      }
  });
  sums.write(product, transposed);
}

// The padding, in floats, that a matrix with this many columns needs.
int64_t padding(int64_t channels) { return (LANES - channels % LANES) % LANES; }

}  // namespace

// x (N, I, H, W), weight (O, I, 1, 1) -> y (N, O, H, W)
OPERATOR(PointwiseForward) {
  EXPECT_TENSORS(3);
  const int64_t N = x.dim(0, 0), I = x.dim(0, 1), H = x.dim(0, 2), W = x.dim(0, 3), O = x.dim(1, 0);
  EXPECT(x.ranks[0] == 4 && H * W > 0 && x.has_shape(1, {O, I, 1, 1}) && x.has_shape(2, {N, O, H, W}), WRONG_SHAPE);
  multiply(x[0], x[1], x[2], N, I, O, H * W, false);
  return NONE;
}

// x, weight, dy -> dx, dweight
OPERATOR(PointwiseBackward) {
  EXPECT_TENSORS(5);
  const int64_t N = x.dim(0, 0), I = x.dim(0, 1), H = x.dim(0, 2), W = x.dim(0, 3), O = x.dim(1, 0);
  EXPECT(x.ranks[0] == 4 && H * W > 0 && x.has_shape(1, {O, I, 1, 1}) && x.has_shape(2, {N, O, H, W}), WRONG_SHAPE);
  EXPECT(x.same_shape(3, 0) && x.same_shape(4, 1), WRONG_SHAPE);
  multiply(x[2], x[1], x[3], N, O, I, H * W, true);
  const Maps input{x[0], I}, gradient{x[2], O};
  if (padding(I) * O <= padding(O) * I)
    multiply_transposed(gradient, input, N, H * W, x[4], false);
  else
    multiply_transposed(input, gradient, N, H * W, x[4], true);
  return NONE;
}
