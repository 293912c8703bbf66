// Products of maps as matrices (channels, pixels): the gradients of weights.
#pragma once
#include <algorithm>
#include <memory>

#include "matrix.h"
#include "threads.h"

// sums (rows, columns) += left * right^T over the depth of `left`. right(c, piece) points to the pixels of channel c,
// which are transposed first. `step` floats are between the rows of `sums`. It uses slot 0 of `scratch`.
template <class Right>
INLINE void add_products(Left<true> left, int64_t rows, Right right, int64_t columns, float* sums, int64_t step) {
  float* packed = scratch(0, (left.pieces * left.depth + LANES) * WIDTH);
  for (int64_t piece = 0; piece < left.pieces; ++piece)
    for (int64_t c = 0; c < columns; c += LANES)
      for (int64_t p = 0; p < left.depth; p += LANES) {
        const int64_t n = std::min<int64_t>(LANES, left.depth - p);
        Vec block[LANES];
        for (int r = 0; r < LANES; ++r) block[r] = c + r < columns ? load(right(c + r, piece) + p, n) : Vec{};
        transpose(block);
        float* to = packed + (piece * left.depth + p) * WIDTH + c;  // the next piece overwrites what is behind this one
        for (int r = 0; r < LANES; ++r) store(to + r * WIDTH, block[r]);
      }
  for (int64_t row = 0; row < rows; row += ROWS)
    tile(std::min<int64_t>(ROWS, rows - row), columns, left.from_row(row), packed, [&](int r, int v, Vec sum) {
      float* to = sums + (row + r) * step + v * LANES;
      store(to, load(to) + sum);
    });
}

// Sums (rows, columns) of several parts of a batch, which are added in order, so that threads do not change a bit.
class PartialSums {
 public:
  PartialSums(int64_t parts, int64_t rows, int64_t columns)
      : parts_(parts),
        rows_(rows),
        columns_(columns),
        step_((columns + WIDTH - 1) / WIDTH * WIDTH),
        sums_(new float[parts * rows * step_]) {}

  int64_t step() const { return step_; }
  // The sums of a part from a row and a tile of columns on.
  float* at(int64_t part, int64_t row, int64_t column) { return sums_.get() + (part * rows_ + row) * step_ + column; }
  // The same, with zeros in `rows` rows of the tile.
  float* cleared(int64_t part, int64_t row, int64_t rows, int64_t column) {
    for (int64_t r = row; r < row + rows; ++r) std::fill_n(at(part, r, column), WIDTH, 0.f);
    return at(part, row, column);
  }
  // Writes the sums, or their transpose.
  void write(float* to, bool transposed) {
    constexpr int64_t GROUP = 16;
    parallel((rows_ + GROUP - 1) / GROUP, parts_ * rows_ * columns_, [&](int64_t task) {
      for (int64_t row = task * GROUP; row < std::min(rows_, (task + 1) * GROUP); ++row) {
        float* sums = at(0, row, 0);
        for (int64_t part = 1; part < parts_; ++part)
          sweep(columns_, [&](int64_t c, int64_t) { store(sums + c, load(sums + c) + load(at(part, row, c))); });
        if (!transposed)
          std::copy_n(sums, columns_, to + row * columns_);
        else
          for (int64_t c = 0; c < columns_; ++c) to[c * rows_ + row] = sums[c];
      }
    });
  }

 private:
  int64_t parts_, rows_, columns_, step_;
  std::unique_ptr<float[]> sums_;
};
