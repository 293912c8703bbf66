// Small tiles of matrix products, which stay in registers: the heart of 1x1 convolutions.
#pragma once
#include <utility>

#include "vectors.h"

// Rows and vectors of a tile, chosen so that sums, operands and a broadcast number fill the registers.
constexpr int ROWS = LANES == 8 ? 4 : 8;
constexpr int VECTORS = 3;
constexpr int WIDTH = VECTORS * LANES;  // columns of a tile, and floats of a row of the packed right operand

// put(row, vector, sum) for the products of `left` (R rows, depth) and `right` (depth, WIDTH floats a row), V vectors.
// With `by_rows`, a row of `left` is contiguous and `stride` leads to the next; else a column is contiguous.
template <int R, int V, bool by_rows, class Put>
INLINE void tile(const float* left, int64_t stride, const float* right, int64_t depth, Put put) {
  Vec sums[R][V] = {};
  for (int64_t k = 0; k < depth; ++k) {
    Vec operand[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) operand[v] = load(right + k * WIDTH + v * LANES);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const Vec factor = splat(by_rows ? left[r * stride + k] : left[k * stride + r]);
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
INLINE void tile(int64_t rows, int64_t columns, const float* left, int64_t stride, const float* right, int64_t depth,
                 Put put) {
  const auto with_rows = [&](auto count) {
    constexpr int R = count;
    if (columns > 2 * LANES) return tile<R, 3, by_rows>(left, stride, right, depth, put);
    if (columns > LANES) return tile<R, 2, by_rows>(left, stride, right, depth, put);
    tile<R, 1, by_rows>(left, stride, right, depth, put);
  };
  if (rows == ROWS) return with_rows(std::integral_constant<int, ROWS>{});
  for (int64_t row = 0; row < rows; ++row) {  // the last rows: one at a time
    const auto put_row = [&](int, int v, Vec sum) { put((int)row, v, sum); };
    const float* own = left + row * (by_rows ? stride : 1);
    if (columns > 2 * LANES)
      tile<1, 3, by_rows>(own, stride, right, depth, put_row);
    else if (columns > LANES)
      tile<1, 2, by_rows>(own, stride, right, depth, put_row);
    else
      tile<1, 1, by_rows>(own, stride, right, depth, put_row);
  }
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
