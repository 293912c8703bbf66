// The activations of all networks and their derivatives, on vectors.
#pragma once
#include <type_traits>

#include "vectors.h"

// e^x with an error of 2 units in the last place; x is limited to where e^x and 1 / e^x are normal numbers.
// x = n ln 2 + r with |r| <= ln 2 / 2. The polynomial and the two parts of ln 2 are those of the Cephes library (expf).
INLINE Vec exponential(Vec x) {
  x = at_most(at_least(x, -86.f), 86.f);
  const Vec shifted = x * 1.44269504f + 12582912.f;  // adding 1.5 * 2^23 leaves the rounded integer in the low bits
  const Vec n = shifted - 12582912.f;
  const Vec r = x - n * 0.693359375f + n * 2.12194440e-4f;
  Vec p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.f;
  return p * (Vec)(((Bits)shifted << 23) + (127 << 23));
}

enum Activation { LINEAR, RELU, SILU, HARD_SWISH, SIGMOID, HARD_SIGMOID, RELU6 };  // as in operators.py

// Returns the activation of v and sets its derivative.
template <Activation A>
INLINE Vec activate(Vec v, Vec& slope) {
  if constexpr (A == SILU || A == SIGMOID) {
    const Vec gate = reciprocal(1.f + exponential(-v)), gate_slope = gate * (1.f - gate);
    slope = A == SILU ? gate + v * gate_slope : gate_slope;
    return A == SILU ? v * gate : gate;
  } else if constexpr (A == HARD_SWISH || A == HARD_SIGMOID) {
    const Vec gate = at_most(at_least(v + 3.f, 0.f), 6.f) * (1.f / 6);
    const Vec gate_slope = ((v > -3.f) & (v < 3.f)) ? splat(1.f / 6) : Vec{};
    slope = A == HARD_SWISH ? gate + v * gate_slope : gate_slope;
    return A == HARD_SWISH ? v * gate : gate;
  } else if constexpr (A == RELU6) {
    slope = ((v > 0.f) & (v < 6.f)) ? splat(1.f) : Vec{};
    return at_most(at_least(v, 0.f), 6.f);
  } else if constexpr (A == RELU) {
    slope = v > 0.f ? splat(1.f) : Vec{};
    return at_least(v, 0.f);
  } else {
    slope = splat(1.f);
    return v;
  }
}

template <Activation A>
INLINE Vec activate(Vec v) {
  Vec unused;
  return activate<A>(v, unused);
}

inline bool is_activation(float number) { return number >= LINEAR && number <= RELU6; }

// Calls f(constant) with the activation of that number.
template <class F>
INLINE void with_activation(float number, F f) {
  switch ((int)number) {
    case LINEAR:
      return f(std::integral_constant<Activation, LINEAR>{});
    case RELU:
      return f(std::integral_constant<Activation, RELU>{});
    case SILU:
      return f(std::integral_constant<Activation, SILU>{});
    case HARD_SWISH:
      return f(std::integral_constant<Activation, HARD_SWISH>{});
    case SIGMOID:
      return f(std::integral_constant<Activation, SIGMOID>{});
    case HARD_SIGMOID:
      return f(std::integral_constant<Activation, HARD_SIGMOID>{});
    case RELU6:
      return f(std::integral_constant<Activation, RELU6>{});
  }
}
