// Panels: maps of up to LANES channels, pixel by pixel, with a channel in each lane. Small maps fill no vector of their
// own, but their panels do, and what belongs to a channel (weights, statistics) is a vector.
#pragma once
#include <algorithm>

#include "matrix.h"

constexpr int64_t PANEL_ROOM = LANES * LANES;  // floats behind a panel that `to_panel` may write

// Copies `channels` maps, one behind the other, to a panel. Lanes without a channel are zero.
INLINE void to_panel(const float* maps, int64_t channels, int64_t pixels, float* panel) {
  for (int64_t p = 0; p < pixels; p += LANES) {
    const int64_t n = std::min<int64_t>(LANES, pixels - p);
    Vec block[LANES];
#pragma GCC unroll 16
    for (int c = 0; c < LANES; ++c) block[c] = c < channels ? load(maps + c * pixels + p, n) : Vec{};
    transpose(block);
#pragma GCC unroll 16
    for (int i = 0; i < LANES; ++i) store(panel + (p + i) * LANES, block[i]);
  }
}

// Copies a panel to `channels` maps. PANEL_ROOM floats behind the panel may be read.
INLINE void from_panel(const float* panel, int64_t channels, int64_t pixels, float* maps) {
  for (int64_t p = 0; p < pixels; p += LANES) {
    const int64_t n = std::min<int64_t>(LANES, pixels - p);
    Vec block[LANES];
#pragma GCC unroll 16
    for (int i = 0; i < LANES; ++i) block[i] = load(panel + (p + i) * LANES);
    transpose(block);
#pragma GCC unroll 16
    for (int c = 0; c < LANES; ++c)
      if (c < channels) store(maps + c * pixels + p, block[c], n);
  }
}

// Copies vectors, of which only the first `channels` lanes are kept.
INLINE void pack(const float* panel, int64_t channels, int64_t pixels, float* to) {
  for (int64_t p = 0; p < pixels; ++p) store(to + p * channels, load(panel + p * LANES), channels);
}
// Copies packed vectors back; lanes without a channel are zero.
INLINE void unpack(const float* packed, int64_t channels, int64_t pixels, float* panel) {
  for (int64_t p = 0; p < pixels; ++p) store(panel + p * LANES, load(packed + p * channels, channels));
}
