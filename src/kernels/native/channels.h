// The numbers of one channel (float; double for sums), or of LANES channels with a lane for each (Vec; Doubles). Code
// for a type T serves both.
#pragma once
#include <algorithm>
#include <type_traits>

#include "vectors.h"

// Doubles may be wider than a register. All functions that return them are inlined, so no calling convention matters.
#pragma GCC diagnostic ignored "-Wpsabi"

typedef double Doubles __attribute__((vector_size(8 * LANES)));

template <class T>
using Wide = std::conditional_t<std::is_same_v<T, Vec>, Doubles, double>;

// Channels of a vector of pixels.
template <class T>
constexpr int CHANNELS = std::is_same_v<T, Vec> ? LANES : 1;

// The sum over the pixels of a vector.
template <class T>
INLINE Wide<T> total(Vec v) {
  if constexpr (std::is_same_v<T, Vec>)
    return __builtin_convertvector(v, Doubles);
  else
    return (double)sum(v);
}

INLINE double wide(float x) { return x; }
INLINE Doubles wide(Vec x) { return __builtin_convertvector(x, Doubles); }
INLINE float narrow(double x) { return (float)x; }
INLINE Vec narrow(const Doubles& x) { return __builtin_convertvector(x, Vec); }

INLINE double not_negative(double x) { return std::max(0., x); }
INLINE Doubles not_negative(const Doubles& x) {
  Doubles y;
  for (int i = 0; i < LANES; ++i) y[i] = not_negative(x[i]);
  return y;
}
INLINE double square_root(double x) { return std::sqrt(x); }
INLINE Doubles square_root(const Doubles& x) {
  Doubles y;
  for (int i = 0; i < LANES; ++i) y[i] = square_root(x[i]);
  return y;
}

// The numbers of `channels` channels, up to LANES. One channel needs no count.
template <class T>
INLINE T get(const float* numbers, int64_t channels = 1) {
  if constexpr (std::is_same_v<T, Vec>)
    return load(numbers, channels);
  else
    return *numbers;
}
INLINE void put(float* numbers, float x, int64_t = 1) { *numbers = x; }
INLINE void put(float* numbers, Vec x, int64_t channels) { store(numbers, x, channels); }
