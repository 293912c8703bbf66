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

// Where the columns of a tile belong in maps (channels, pixels) of all images.
class Columns {
 public:
  Columns() = default;
  // For `count` columns from column `begin` on.
  Columns(int64_t begin, int64_t count, int64_t channels, int64_t pixels) : count_(count) {
    int total = 0;
    for (int v = 0; v < VECTORS; ++v) {
      first_[v] = total;
      const int64_t lanes = std::clamp<int64_t>(count - v * LANES, 0, LANES);
      in_images(begin + v * LANES, lanes, pixels, [&](int64_t image, int64_t pixel, int64_t at, int64_t length) {
        parts_[total++] = {image * channels * pixels + pixel, (int)at, (int)length};
      });
    }
    first_[VECTORS] = total;
    is_whole_ = count == WIDTH && begin % pixels + WIDTH <= pixels;
  }
  int64_t count() const { return count_; }
  // Calls use(put), where put(row, vector, sum) stores a vector of the tile to its columns. Row 0 belongs to the
  // channel that begins at `maps` in the first image.
  template <class F>
  INLINE void with_put(float* maps, int64_t pixels, F use) const {
    if (is_whole_)  // in one image
      return use([to = maps + parts_[0].offset, pixels](int row, int v, Vec sum) {
        store(to + row * pixels + v * LANES, sum);
      });
    use([this, maps, pixels](int row, int v, Vec sum) {
      const Part* part = parts_ + first_[v];
      float* to = maps + row * pixels;
      if (part->length == LANES) return store(to + part->offset, sum);
      for (; part < parts_ + first_[v + 1]; ++part) store_lanes(to + part->offset, sum, part->lane, part->length);
    });
  }

 private:
  struct Part {
    int64_t offset;
    int lane, length;
  };
  int64_t count_ = 0;
  bool is_whole_ = false;
  int first_[VECTORS + 1];
  Part parts_[WIDTH];
};

constexpr int64_t TASKS = 16;  // that work is divided into where it can be, whatever the number of threads

// Packs columns of x (N, inputs, P) as tiles of WIDTH floats a row, one tile behind the other.
INLINE void pack(const float* x, int64_t inputs, int64_t P, int64_t begin, int64_t count, float* packed) {
  in_images(begin, count, P, [&](int64_t image, int64_t pixel, int64_t at, int64_t length) {
    for (int64_t i = 0; i < inputs; ++i) {
      const float* from = x + (image * inputs + i) * P + pixel - at;
      for (int64_t j = at; j < at + length;) {
        const int64_t in_tile = j % WIDTH, size = std::min(WIDTH - in_tile, at + length - j);
        float* to = packed + (j / WIDTH * inputs + i) * WIDTH + in_tile;
        sweep(size, [&](int64_t k, int64_t n) { store(to + k, load(from + j + k, n), n); });
        j += size;
      }
    }
  });
}

// y (N, outputs, P) = matrix * x (N, inputs, P), where element (o, i) of the matrix is weight[o * inputs + i], or with
// `transposed` weight[i * outputs + o]. A task is some tiles of columns, whose inputs are packed first: several tiles
// at once if they stay in the second cache, so that rows of x and y are long.
template <bool transposed>
void multiply(const float* x, const float* weight, float* y, int64_t N, int64_t inputs, int64_t outputs, int64_t P) {
  constexpr int64_t MOST = 8, FLOATS = 32768;  // of the tiles that are packed at once
  const int64_t columns = N * P, tiles = (columns + WIDTH - 1) / WIDTH,
                group = std::clamp<int64_t>(tiles / TASKS, 1, MOST),
                together = std::clamp<int64_t>(FLOATS / (inputs * WIDTH), 1, group);
  const Left<!transposed> matrix{weight, transposed ? outputs : inputs, inputs};
  parallel((tiles + group - 1) / group, columns * inputs, [&](int64_t task) {
    float* packed = scratch(0, together * inputs * WIDTH);
    Columns at[MOST];
    const int64_t end = std::min(tiles, (task + 1) * group);
    for (int64_t first = task * group; first < end; first += together) {
      const int64_t count = std::min(together, end - first);
      pack(x, inputs, P, first * WIDTH, std::min(count * WIDTH, columns - first * WIDTH), packed);
      for (int64_t t = 0; t < count; ++t) {
        const int64_t begin = (first + t) * WIDTH;
        at[t] = Columns(begin, std::min<int64_t>(WIDTH, columns - begin), outputs, P);
      }
      for (int64_t o = 0; o < outputs; o += ROWS)
        for (int64_t t = 0; t < count; ++t)
          at[t].with_put(y + o * P, P, [&](auto put) {
            tile(std::min<int64_t>(ROWS, outputs - o), at[t].count(), matrix.from_row(o), packed + t * inputs * WIDTH,
                 put);
          });
    }
  });
}

// Maps of an image as a matrix (channels, pixels).
struct Maps {
  const float* data;
  int64_t channels;
};

// product (left.channels, right.channels) = sum over N images of left * right^T, or its transpose. A task is a part of
// the images, some channels of `left`, and WIDTH channels of `right`.
void multiply_transposed(Maps left, Maps right, int64_t N, int64_t P, float* product, bool transposed) {
  constexpr int64_t PIXELS = 128;  // of a packed block: 24 KB with 48 columns, which stay in the first cache
  constexpr int64_t FEWEST = 64;   // rows of a task, so that packing takes a tenth of its time
  const int64_t tiles = (right.channels + WIDTH - 1) / WIDTH;
  const int64_t rows = std::max(FEWEST, (left.channels * tiles / TASKS + ROWS - 1) / ROWS * ROWS);  // of a task
  const int64_t groups = (left.channels + rows - 1) / rows, parts = std::clamp<int64_t>(TASKS / (tiles * groups), 1, N);
  const int64_t block = std::min(P, PIXELS), images = PIXELS / block;  // of a block: pixels, or several images
  PartialSums sums(parts, left.channels, right.channels);
  parallel(parts * groups * tiles, N * P * (left.channels + right.channels), [&](int64_t task) {
    const int64_t part = task / (groups * tiles), row = task / tiles % groups * rows, first = task % tiles * WIDTH;
    const int64_t count = std::min(rows, left.channels - row), end = N * (part + 1) / parts;
    float* to = sums.cleared(part, row, count, first);
    for (int64_t n = N * part / parts; n < end; n += images)
      for (int64_t p = 0; p < P; p += block) {
        const Left<true> operand{left.data + (n * left.channels + row) * P + p, P, std::min(block, P - p),
                                 std::min(images, end - n), left.channels * P};
        const auto pixels_of = [&](int64_t c, int64_t image) {
          return right.data + ((n + image) * right.channels + first + c) * P + p;
        };
        add_products(operand, count, pixels_of, std::min<int64_t>(WIDTH, right.channels - first), to, sums.step());
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
  multiply<false>(x[0], x[1], x[2], N, I, O, H * W);
  return NONE;
}

// x, weight, dy -> dx, dweight
OPERATOR(PointwiseBackward) {
  EXPECT_TENSORS(5);
  const int64_t N = x.dim(0, 0), I = x.dim(0, 1), H = x.dim(0, 2), W = x.dim(0, 3), O = x.dim(1, 0);
  EXPECT(x.ranks[0] == 4 && H * W > 0 && x.has_shape(1, {O, I, 1, 1}) && x.has_shape(2, {N, O, H, W}), WRONG_SHAPE);
  EXPECT(x.same_shape(3, 0) && x.same_shape(4, 1), WRONG_SHAPE);
  multiply<true>(x[2], x[1], x[3], N, O, I, H * W);
  const Maps input{x[0], I}, gradient{x[2], O};
  if (padding(I) * O <= padding(O) * I)
    multiply_transposed(gradient, input, N, H * W, x[4], false);
  else
    multiply_transposed(input, gradient, N, H * W, x[4], true);
  return NONE;
}
