// BatchNorm of one channel: its statistics, and the sums that its gradient needs. Kernels share it.
#pragma once
#include <algorithm>

#include "activations.h"

// Planes of `pixels` floats whose sums are taken in float.
inline int64_t planes_of_a_piece(int64_t pixels) { return std::max<int64_t>(1, 1024 / pixels); }

struct Moments {
  double mean, variance;
};

// Statistics of floats that come in pieces. Around the mean of its own piece, a sum of squares is exact enough in
// float, because a piece is short; the pieces are put together in double (Chan, Golub and LeVeque, 1979).
class Statistics {
 public:
  // Adds `planes` planes of `pixels` floats, which are `step` floats apart.
  INLINE void add(const float* x, int64_t planes, int64_t pixels, int64_t step) {
    const double count = (double)planes * pixels;
    Vec sums{}, deviations{};
    for (int64_t plane = 0; plane < planes; ++plane)
      sweep(pixels, [&](int64_t i, int64_t n) { sums += load(x + plane * step + i, n); });
    const double own = (double)sum(sums) / count;
    const Vec center = splat((float)own);
    for (int64_t plane = 0; plane < planes; ++plane)
      sweep(pixels, [&](int64_t i, int64_t n) {
        const Vec distance = first(load(x + plane * step + i, n) - center, n);
        deviations += distance * distance;
      });
    const double rounding = own - (float)own;  // of `center`; it adds to the deviations
    const double between = count_ > 0 ? own - total_ / count_ : 0;
    squares_ += sum(deviations) - count * rounding * rounding + between * between * count * count_ / (count + count_);
    total_ += own * count;
    count_ += count;
  }
  // Adds all planes of a channel, in pieces of about 1024 floats.
  INLINE void add_all(const float* x, int64_t planes, int64_t pixels, int64_t step) {
    const int64_t piece = planes_of_a_piece(pixels);
    for (int64_t plane = 0; plane < planes; plane += piece)
      add(x + plane * step, std::min(piece, planes - plane), pixels, step);
  }
  double count() const { return count_; }
  Moments moments() const { return {total_ / count_, std::max(0., squares_ / count_)}; }

 private:
  double count_ = 0, total_ = 0, squares_ = 0;
};

// What BatchNorm of a channel is set to. `kept` is the share of the moving statistics that a step keeps.
struct NormSettings {
  double kept, epsilon;
  bool of_batch;  // else the moving statistics normalize
  float activation;

  explicit NormSettings(const float* settings)
      : kept(settings[0]), epsilon(settings[1]), of_batch(settings[2] != 0), activation(settings[3]) {}
};

// y = activation((x - mean) * scale + beta) for one channel.
struct Norm {
  float mean, deviation, scale, beta;  // `deviation` is 1 / the standard deviation
  float activation;

  Norm(float mean, float deviation, float gamma, float beta, float activation)
      : mean(mean), deviation(deviation), scale(deviation * gamma), beta(beta), activation(activation) {}

  // y = the normalized and activated x.
  INLINE void apply(const float* x, float* y, int64_t count) const {
    with_activation(activation, [&](auto known) {
      sweep(count,
            [&](int64_t i, int64_t n) { store(y + i, activate<known>((load(x + i, n) - mean) * scale + beta), n); });
    });
  }
  // The same, and the derivative of the activation.
  INLINE void apply(const float* x, float* y, float* slopes, int64_t count) const {
    with_activation(activation, [&](auto known) {
      sweep(count, [&](int64_t i, int64_t n) {
        Vec slope;
        store(y + i, activate<known>((load(x + i, n) - mean) * scale + beta, slope), n);
        store(slopes + i, slope, n);
      });
    });
  }
};

// Returns the norm of a channel. With statistics of the batch, the moving ones are moved; else they normalize.
inline Norm norm_of(const NormSettings& settings, const Statistics& batch, float gamma, float beta, float& moving_mean,
                    float& moving_variance) {
  Moments used{moving_mean, moving_variance};
  if (settings.of_batch) {
    used = batch.moments();
    const double unbiased = used.variance * batch.count() / std::max(1., batch.count() - 1);
    moving_mean = (float)(settings.kept * moving_mean + (1 - settings.kept) * used.mean);
    moving_variance = (float)(settings.kept * moving_variance + (1 - settings.kept) * unbiased);
  }
  const double deviation = 1 / std::sqrt(used.variance + settings.epsilon);
  return Norm((float)used.mean, (float)deviation, gamma, beta, settings.activation);
}

// The gradient of a norm over one channel: sums over all pixels first, then the gradient of the input.
class NormGradient {
 public:
  explicit NormGradient(const Norm& norm) : norm_(norm) {}

  // d = dy times the derivative of the activation, which is added to the sums, for `planes` planes of `pixels` floats.
  // Planes of x and dy are `step` floats apart, and those of d `d_step`. Without activation d is dy, and is not
  // written.
  INLINE void add(const float* x, const float* dy, int64_t step, float* d, int64_t d_step, int64_t planes,
                  int64_t pixels) {
    with_activation(norm_.activation, [&](auto known) {
      Vec totals{}, moments{};
      for (int64_t plane = 0; plane < planes; ++plane)
        sweep(pixels, [&](int64_t i, int64_t n) {
          const Vec centered = load(x + plane * step + i, n) - norm_.mean;
          Vec slope;
          activate<known>(centered * norm_.scale + norm_.beta, slope);
          const Vec product = load(dy + plane * step + i, n) * slope;
          if constexpr (known != LINEAR) store(d + plane * d_step + i, product, n);
          totals += product, moments += product * centered;
        });
      add_sums(totals, moments);
    });
  }
  // The same for all planes of a channel, in pieces.
  INLINE void add_all(const float* x, const float* dy, int64_t step, float* d, int64_t d_step, int64_t planes,
                      int64_t pixels) {
    const int64_t piece = planes_of_a_piece(pixels);
    for (int64_t plane = 0; plane < planes; plane += piece)
      add(x + plane * step, dy + plane * step, step, d + plane * d_step, d_step, std::min(piece, planes - plane),
          pixels);
  }
  // The same for one plane, with the derivative of the activation given.
  INLINE void add_with(const float* x, const float* dy, const float* slopes, float* d, int64_t pixels) {
    Vec totals{}, moments{};
    sweep(pixels, [&](int64_t i, int64_t n) {
      const Vec product = load(dy + i, n) * load(slopes + i, n);
      store(d + i, product, n);
      totals += product, moments += product * (load(x + i, n) - norm_.mean);
    });
    add_sums(totals, moments);
  }
  float dgamma() const { return (float)moment_; }
  float dbeta() const { return (float)total_; }

  // Call this when all pixels have been added. Moving statistics do not depend on the input.
  void finish(bool of_batch, double count) {
    shift_ = of_batch ? (float)(total_ / count) : 0.f;
    tilt_ = of_batch ? (float)(moment_ / count * norm_.deviation) : 0.f;
  }
  INLINE void input(const float* x, const float* d, float* dx, int64_t count) const {
    sweep(count, [&](int64_t i, int64_t n) {
      store(dx + i, norm_.scale * (load(d + i, n) - shift_ - (load(x + i, n) - norm_.mean) * tilt_), n);
    });
  }

 private:
  void add_sums(Vec totals, Vec moments) { total_ += sum(totals), moment_ += (double)sum(moments) * norm_.deviation; }

  const Norm norm_;
  double total_ = 0, moment_ = 0;
  float shift_ = 0, tilt_ = 0;
};
