// Vectors of floats, as wide as the machine that this file is compiled for: AVX-512, AVX2, or 128 bits (NEON, SSE).
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#if defined(__AVX__)
#include <immintrin.h>
#endif

#define INLINE inline __attribute__((always_inline))

#if defined(__AVX512F__)
constexpr int LANES = 16;
#elif defined(__AVX__)
constexpr int LANES = 8;
#else
constexpr int LANES = 4;
#endif

typedef float Vec __attribute__((vector_size(4 * LANES)));
typedef int32_t Bits __attribute__((vector_size(4 * LANES)));
typedef float Anywhere __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

INLINE Vec splat(float x) {
#if defined(__AVX512F__)
  return (Vec)_mm512_set1_ps(x);
#elif defined(__AVX__)
  return (Vec)_mm256_set1_ps(x);
#else
  return Vec{x, x, x, x};
#endif
}
INLINE Vec load(const float* p) { return *reinterpret_cast<const Anywhere*>(p); }
INLINE void store(float* p, Vec v) { *reinterpret_cast<Anywhere*>(p) = v; }

// The same vector. The compiler loads it once, where GCC would load it again for each use.
INLINE Vec in_register(Vec v) {
#if defined(__x86_64__)
  asm("" : "+v"(v));
#elif defined(__aarch64__)
  asm("" : "+w"(v));
#endif
  return v;
}

// The vector {0, 1, 2, ...}.
INLINE Bits lane_numbers() {
  Bits numbers;
  for (int i = 0; i < LANES; ++i) numbers[i] = i;
  return numbers;
}

// The first n lanes of v, 0 <= n <= LANES, and zeros.
INLINE Vec first(Vec v, int64_t n) { return (Vec)((Bits)v & (lane_numbers() < (int32_t)n)); }

// n floats and zeros behind them, 0 <= n <= LANES. Nothing behind the floats is read.
INLINE Vec load(const float* p, int64_t n) {
  if (n == LANES) return load(p);
#if defined(__AVX512F__)
  return (Vec)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#elif defined(__AVX__)
  return (Vec)_mm256_maskload_ps(p, (__m256i)(lane_numbers() < (int32_t)n));
#else
  Vec v{};
  for (int i = 0; i < LANES - 1; ++i)
    if (i < n) v[i] = p[i];
  return v;
#endif
}

// Stores the first n lanes, 0 <= n <= LANES.
INLINE void store(float* p, Vec v, int64_t n) {
  if (n == LANES) return store(p, v);
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#elif defined(__AVX__)
  _mm256_maskstore_ps(p, (__m256i)(lane_numbers() < (int32_t)n), (__m256)v);
#else
  for (int i = 0; i < LANES - 1; ++i)
    if (i < n) p[i] = v[i];
#endif
}

// Stores n lanes from lane `begin` on; to[0] becomes that lane.
INLINE void store_lanes(float* to, Vec v, int64_t begin, int64_t n) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(to - begin, (__mmask16)(((1u << n) - 1) << begin), (__m512)v);
#elif defined(__AVX__)
  const Bits lanes = lane_numbers();
  _mm256_maskstore_ps(to - begin, (__m256i)((lanes >= (int32_t)begin) & (lanes < (int32_t)(begin + n))), (__m256)v);
#else
  for (int i = 0; i < LANES; ++i)
    if (i >= begin && i < begin + n) to[i - begin] = v[i];
#endif
}

INLINE float sum(Vec v) {
#if defined(__AVX512F__)
  return _mm512_reduce_add_ps((__m512)v);
#elif defined(__AVX__)
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128((__m256)v), _mm256_extractf128_ps((__m256)v, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
#else
  return (v[0] + v[1]) + (v[2] + v[3]);
#endif
}

INLINE Vec square_root(Vec v) {
#if defined(__AVX512F__)
  return (Vec)_mm512_sqrt_ps((__m512)v);
#elif defined(__AVX__)
  return (Vec)_mm256_sqrt_ps((__m256)v);
#else
  for (int i = 0; i < LANES; ++i) v[i] = std::sqrt(v[i]);
  return v;
#endif
}

// The larger and the smaller of v and a limit; NaN stays NaN.
INLINE Vec at_least(Vec v, float low) {
#if defined(__AVX512F__)
  return (Vec)_mm512_max_ps((__m512)splat(low), (__m512)v);
#elif defined(__AVX__)
  return (Vec)_mm256_max_ps((__m256)splat(low), (__m256)v);
#else
  return v < low ? splat(low) : v;
#endif
}
INLINE Vec at_most(Vec v, float high) {
#if defined(__AVX512F__)
  return (Vec)_mm512_min_ps((__m512)splat(high), (__m512)v);
#elif defined(__AVX__)
  return (Vec)_mm256_min_ps((__m256)splat(high), (__m256)v);
#else
  return v > high ? splat(high) : v;
#endif
}

// 1 / v for normal numbers v. AVX-512 divides slowly: an estimate of 14 bits and a step of Newton's method are exact
// to the last bit or two.
INLINE Vec reciprocal(Vec v) {
#if defined(__AVX512F__)
  const Vec estimate = (Vec)_mm512_rcp14_ps((__m512)v);
  return estimate * (2.f - v * estimate);
#else
  return 1.f / v;
#endif
}

// Lanes 0, 2, 4, ... or 1, 3, 5, ... of 2 * LANES floats: vector a, then vector b.
template <int ODD>
INLINE Vec every_second(Vec a, Vec b) {
#if defined(__clang__) && defined(__AVX512F__)
  return __builtin_shufflevector(a, b, ODD, ODD + 2, ODD + 4, ODD + 6, ODD + 8, ODD + 10, ODD + 12, ODD + 14, ODD + 16,
                                 ODD + 18, ODD + 20, ODD + 22, ODD + 24, ODD + 26, ODD + 28, ODD + 30);
#elif defined(__clang__) && defined(__AVX__)
  return __builtin_shufflevector(a, b, ODD, ODD + 2, ODD + 4, ODD + 6, ODD + 8, ODD + 10, ODD + 12, ODD + 14);
#elif defined(__clang__)
  return __builtin_shufflevector(a, b, ODD, ODD + 2, ODD + 4, ODD + 6);
#else
  return __builtin_shuffle(a, b, lane_numbers() * 2 + ODD);
#endif
}

// Vectors of the lanes of a and b in turns: a0, b0, a1, b1, ... The first vector of two, or the second.
template <int SECOND>
INLINE Vec in_turns(Vec a, Vec b) {
  constexpr int I = SECOND * LANES / 2;
  [[maybe_unused]] constexpr int J = I + LANES;
#if defined(__clang__) && defined(__AVX512F__)
  return __builtin_shufflevector(a, b, I, J, I + 1, J + 1, I + 2, J + 2, I + 3, J + 3, I + 4, J + 4, I + 5, J + 5,
                                 I + 6, J + 6, I + 7, J + 7);
#elif defined(__clang__) && defined(__AVX__)
  return __builtin_shufflevector(a, b, I, J, I + 1, J + 1, I + 2, J + 2, I + 3, J + 3);
#elif defined(__clang__)
  return __builtin_shufflevector(a, b, I, J, I + 1, J + 1);
#else
  return __builtin_shuffle(a, b, (lane_numbers() >> 1) + I + (lane_numbers() & 1) * LANES);
#endif
}

// Calls f(i, n) for the floats i to i + n - 1 of `count`; n is LANES, but may be smaller in the last call.
template <class F>
INLINE void sweep(int64_t count, F f) {
  int64_t i = 0;
  for (; i + LANES <= count; i += LANES) f(i, (int64_t)LANES);
  if (i < count) f(i, count - i);
}

constexpr int SUMS = 4;  // that are taken in turns, because an addition waits four cycles for the one before

// The same, with turn = 0, 1, 2, 3, 0, ..., so that f adds to one of SUMS sums.
template <class F>
INLINE void sweep_in_turns(int64_t count, F f) {
  int64_t i = 0;
  for (; i + SUMS * LANES <= count; i += SUMS * LANES)
#pragma GCC unroll 4
    for (int turn = 0; turn < SUMS; ++turn) f(i + turn * LANES, (int64_t)LANES, turn);
  sweep(count - i, [&](int64_t j, int64_t n) { f(i + j, n, 0); });
}
INLINE Vec sum_of(const Vec (&sums)[SUMS]) { return (sums[0] + sums[1]) + (sums[2] + sums[3]); }
