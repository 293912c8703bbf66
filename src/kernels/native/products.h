// Products of maps as matrices (channels, pixels): the gradients of weights.
#pragma once
#include <vector>

#include "matrix.h"
#include "threads.h"

// sums (rows, columns) += left * right^T over `pixels` pixels. `left` has contiguous pixels and `left_step` floats
// between its rows; right(c) points to the pixels of channel c, which are transposed first. `step` floats are between
// the rows of `sums`. It uses slot 0 of `scratch`.
template <class Right>
INLINE void add_products(const float* left, int64_t left_step, int64_t rows, Right right, int64_t columns,
                         int64_t pixels, float* sums, int64_t step) {
  float* packed = scratch(0, (pixels + LANES) * WIDTH);
  for (int64_t c = 0; c < columns; c += LANES)
    for (int64_t p = 0; p < pixels; p += LANES) {
      const int64_t n = pixels - p < LANES ? pixels - p : LANES;
      Vec block[LANES];
      for (int r = 0; r < LANES; ++r) block[r] = c + r < columns ? load(right(c + r) + p, n) : Vec{};
      transpose(block);
      for (int r = 0; r < LANES; ++r) store(packed + (p + r) * WIDTH + c, block[r]);
    }
  for (int64_t row = 0; row < rows; row += ROWS) {
    const auto add = [&](int r, int v, Vec sum) {
      float* to = sums + (row + r) * step + v * LANES;
      store(to, load(to) + sum);
    };
    tile<true>(rows - row < ROWS ? rows - row : ROWS, columns, left + row * left_step, left_step, packed, pixels, add);
  }
}

// Sums (rows, columns) of several parts of a batch, which are added in order, so that threads do not change a bit.
class PartialSums {
 public:
  PartialSums(int64_t parts, int64_t rows, int64_t columns)
      : parts_(parts),
        rows_(rows),
        columns_(columns),
        step_((columns + WIDTH - 1) / WIDTH * WIDTH),
        sums_(parts * rows * step_) {}

  int64_t step() const { return step_; }
  float* part(int64_t number) { return sums_.data() + number * rows_ * step_; }
  // Writes the sums, or their transpose.
  void write(float* to, bool transposed) const {
    for (int64_t row = 0; row < rows_; ++row)
      for (int64_t c = 0; c < columns_; ++c) {
        float sum = 0;
        for (int64_t number = 0; number < parts_; ++number) sum += sums_[(number * rows_ + row) * step_ + c];
        to[transposed ? c * rows_ + row : row * columns_ + c] = sum;
      }
  }

 private:
  int64_t parts_, rows_, columns_, step_;
  std::vector<float> sums_;
};
