// BatchNorm of one channel, or of a lane for each channel: its statistics, and the sums that its gradient needs.
#pragma once
#include "activations.h"
#include "channels.h"

// Planes of `floats` floats whose sums are taken in float.
inline int64_t planes_of_a_piece(int64_t floats) { return std::max<int64_t>(1, 1024 / floats); }

template <class T>
struct Moments {
  Wide<T> mean, variance;
};

// Statistics of floats that come in pieces. Around the mean of its own piece, a sum of squares is exact enough in
// float, because a piece is short; the pieces are put together in double (Chan, Golub and LeVeque, 1979).
template <class T>
class Statistics {
 public:
  // Adds `planes` planes of `floats` floats, which are `step` floats apart.
  INLINE void add(const float* x, int64_t planes, int64_t floats, int64_t step) {
    const double count = (double)planes * floats / CHANNELS<T>;
    Vec sums[SUMS] = {}, deviations[SUMS] = {};
    for (int64_t plane = 0; plane < planes; ++plane)
      sweep_in_turns(floats, [&](int64_t i, int64_t n, int turn) { sums[turn] += load(x + plane * step + i, n); });
    const Wide<T> own = total<T>(sum_of(sums)) / count;
    const T center = narrow(own);
    for (int64_t plane = 0; plane < planes; ++plane)
      sweep_in_turns(floats, [&](int64_t i, int64_t n, int turn) {
        const Vec distance = first(load(x + plane * step + i, n) - center, n);
        deviations[turn] += distance * distance;
      });
    const Wide<T> rounding = own - wide(center);  // it adds to the deviations
    squares_ += total<T>(sum_of(deviations)) - rounding * rounding * count;
    if (count_ > 0) {
      const Wide<T> between = own - total_ / count_;
      squares_ += between * between * (count * count_ / (count + count_));
    }
    total_ += own * count;
    count_ += count;
  }
  // Adds all planes of a channel, in pieces of about 1024 floats.
  INLINE void add_all(const float* x, int64_t planes, int64_t floats, int64_t step) {
    const int64_t piece = planes_of_a_piece(floats);
    for (int64_t plane = 0; plane < planes; plane += piece)
      add(x + plane * step, std::min(piece, planes - plane), floats, step);
  }
  double count() const { return count_; }
  Moments<T> moments() const { return {total_ / count_, not_negative(squares_ / count_)}; }

 private:
  double count_ = 0;  // pixels of a channel
  Wide<T> total_{}, squares_{};
};

// What BatchNorm of a channel is set to. `kept` is the share of the moving statistics that a step keeps.
struct NormSettings {
  double kept, epsilon;
  bool of_batch;  // else the moving statistics normalize
  float activation;

  explicit NormSettings(const float* settings)
      : kept(settings[0]), epsilon(settings[1]), of_batch(settings[2] != 0), activation(settings[3]) {}
};

// y = activation((x - mean) * scale + beta).
template <class T>
struct Norm {
  T mean, deviation, scale, beta;  // `deviation` is 1 / the standard deviation
  float activation;

  Norm(T mean, T deviation, T gamma, T beta, float activation)
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

// The parameters of a norm, and what is moved in training.
struct NormTensors {
  const float *gamma, *beta;
  float *moving_mean, *moving_variance;
};

// Returns the norm of `channels` channels. With statistics of the batch, the moving ones are moved; else they
// normalize.
template <class T>
Norm<T> norm_of(const NormSettings& settings, const Statistics<T>& batch, const NormTensors& tensors,
                int64_t channels = 1) {
  const T moving_mean = get<T>(tensors.moving_mean, channels),
          moving_variance = get<T>(tensors.moving_variance, channels);
  Moments<T> used{wide(moving_mean), wide(moving_variance)};
  if (settings.of_batch) {
    const double kept = settings.kept, unbiased = batch.count() / std::max(1., batch.count() - 1);
    const Moments<T> now = batch.moments();
    put(tensors.moving_mean, narrow(used.mean * kept + now.mean * (1 - kept)), channels);
    put(tensors.moving_variance, narrow(used.variance * kept + now.variance * (unbiased * (1 - kept))), channels);
    used = now;
  }
  const Wide<T> deviation = 1 / square_root(used.variance + settings.epsilon);
  return Norm<T>(narrow(used.mean), narrow(deviation), get<T>(tensors.gamma, channels), get<T>(tensors.beta, channels),
                 settings.activation);
}

// The gradient of a norm: sums over all pixels first, then the gradient of the input.
template <class T>
class NormGradient {
 public:
  explicit NormGradient(const Norm<T>& norm) : norm_(norm) {}

  // d = dy times the derivative of the activation, which is added to the sums, for `planes` planes of `floats` floats.
  // Planes of x and dy are `step` floats apart, and those of d `d_step`. Without activation d is dy, and is not
  // written.
  INLINE void add(const float* x, const float* dy, int64_t step, float* d, int64_t d_step, int64_t planes,
                  int64_t floats) {
    with_activation(norm_.activation, [&](auto known) {
      Vec totals{}, moments{};
      for (int64_t plane = 0; plane < planes; ++plane)
        sweep(floats, [&](int64_t i, int64_t n) {
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
                      int64_t floats) {
    const int64_t piece = planes_of_a_piece(floats);
    for (int64_t plane = 0; plane < planes; plane += piece)
      add(x + plane * step, dy + plane * step, step, d + plane * d_step, d_step, std::min(piece, planes - plane),
          floats);
  }
  // The same for one plane, with the derivative of the activation given.
  INLINE void add_with(const float* x, const float* dy, const float* slopes, float* d, int64_t floats) {
    Vec totals[SUMS] = {}, moments[SUMS] = {};
    sweep_in_turns(floats, [&](int64_t i, int64_t n, int turn) {
      const Vec product = load(dy + i, n) * load(slopes + i, n);
      store(d + i, product, n);
      totals[turn] += product, moments[turn] += product * (load(x + i, n) - norm_.mean);
    });
    add_sums(sum_of(totals), sum_of(moments));
  }
  T dgamma() const { return narrow(moment_); }
  T dbeta() const { return narrow(total_); }

  // Call this when all pixels have been added. Moving statistics do not depend on the input.
  void finish(bool of_batch, double count) {
    if (of_batch) shift_ = narrow(total_ / count), tilt_ = narrow(moment_ / count * wide(norm_.deviation));
  }
  INLINE void input(const float* x, const float* d, float* dx, int64_t count) const {
    sweep(count, [&](int64_t i, int64_t n) {
      store(dx + i, norm_.scale * (load(d + i, n) - shift_ - (load(x + i, n) - norm_.mean) * tilt_), n);
    });
  }

 private:
  INLINE void add_sums(Vec totals, Vec moments) {
    total_ += total<T>(totals), moment_ += total<T>(moments) * wide(norm_.deviation);
  }

  const Norm<T> norm_;
  Wide<T> total_{}, moment_{};
  T shift_{}, tilt_{};
};
