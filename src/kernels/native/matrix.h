// Small tiles of matrix products, which stay in registers: the heart of 1x1 convolutions.
#pragma once
#include <utility>

#include "vectors.h"

// Rows and vectors of a tile, chosen so that sums, operands and a broadcast number fill the registers.
constexpr int ROWS = LANES == 8 ? 4 : 8;
constexpr int VECTORS = 3;
constexpr int WIDTH = VECTORS * LANES;  // columns of a tile, and floats of a row of the packed right operand

// The left operand of a product. With `by_rows`, a row is contiguous and `stride` leads to the next; else a column is
// contiguous. Its depth may lie in several pieces, `step` floats apart.
template <bool by_rows>
struct Left {
  const float* data;
  int64_t stride, depth, pieces = 1, step = 0;

  INLINE Left from_row(int64_t row) const {
    Left rows = *this;
    rows.data += by_rows ? row * stride : row;
    return rows;
  }
};

// put(row, vector, sum) for the products of `left` (R rows, depth) and `right` (depth, WIDTH floats a row), V vectors.
template <int R, int V, bool by_rows, class Put>
INLINE void tile(Left<by_rows> left, const float* right, Put put) {
  Vec sums[R][V] = {};
  for (int64_t piece = 0; piece < left.pieces; ++piece, left.data += left.step, right += left.depth * WIDTH)
    for (int64_t k = 0; k < left.depth; ++k) {
      Vec operand[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) operand[v] = load(right + k * WIDTH + v * LANES);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        const Vec factor = splat(left.data[by_rows ? r * left.stride + k : k * left.stride + r]);
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) sums[r][v] += factor * operand[v];
      }
    }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) put(r, v, sums[r][v]);
}

// The same for `rows` rows and `columns` columns, up to ROWS and WIDTH. put(row, vector, sum) is called for whole
// vectors.
template <bool by_rows, class Put>
INLINE void tile(int64_t rows, int64_t columns, Left<by_rows> left, const float* right, Put put) {
  const auto with_rows = [&](auto count, Left<by_rows> from, auto put) {
    constexpr int R = count;
    if (columns > 2 * LANES) return tile<R, 3>(from, right, put);
    if (columns > LANES) return tile<R, 2>(from, right, put);
    tile<R, 1>(from, right, put);
  };
  if (rows == ROWS) return with_rows(std::integral_constant<int, ROWS>{}, left, put);
  for (int64_t row = 0; row < rows; ++row)  // the last rows: one at a time
    with_rows(std::integral_constant<int, 1>{}, left.from_row(row),
              [&](int, int v, Vec sum) { put((int)row, v, sum); });
}

// Transposes LANES vectors of LANES floats.
INLINE void transpose(Vec (&rows)[LANES]) {
  for (int done = 1; done < LANES; done *= 2) {
    Vec next[LANES];
#pragma GCC unroll 8
    for (int i = 0; i < LANES / 2; ++i) {
      next[2 * i] = in_turns<0>(rows[i], rows[i + LANES / 2]);
      next[2 * i + 1] = in_turns<1>(rows[i], rows[i + LANES / 2]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < LANES; ++i) rows[i] = next[i];
  }
}
