// The activations of all networks and their derivatives, on vectors.
#pragma once
#include <type_traits>

#include "vectors.h"

// e^x with a relative error of 1e-6 where |x| is up to 10; x is limited to where e^x and 1 / e^x are normal numbers.
// x / ln 2 = n + f with |f| <= 1/2. The polynomial is 2^f with the smallest largest relative error, 7.5e-8.
INLINE Vec exponential(Vec x) {
  x = at_most(at_least(x, -86.f), 86.f);
  const Vec shifted = x * 1.44269504f + 12582912.f;  // adding 1.5 * 2^23 leaves the rounded integer in the low bits
  const Vec f = x * 1.44269504f - (shifted - 12582912.f);
  Vec p = splat(1.3276435e-3f);
  p = p * f + 9.675534e-3f;
  p = p * f + 5.5507135e-2f;
  p = p * f + 2.402212e-1f;
  p = p * f + 6.9314694e-1f;
  p = p * f + 1.0000001f;
  return (Vec)((Bits)p + ((Bits)shifted << 23));
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
