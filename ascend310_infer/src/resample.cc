// The arithmetic of Pillow's Image.resize for 8-bit images. Weights are computed in float64 and rounded to fixed
// point. A pass along the rows gives 8-bit values, then a pass along the columns; tall images take the reverse order.
// Vectors of eight numbers hold two pixels. GCC and Clang map them to the vectors of the processor.
#include "resample.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "errors.h"

namespace tinynet {
namespace {

constexpr int kPrecision = 32 - 8 - 2;  // fraction bits; weights may sum to 4 without overflow

using Ints8 = std::int32_t __attribute__((vector_size(32)));

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("avx2", "sse4.1", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

double bilinear(double x) { return std::max(1 - std::abs(x), 0.0); }

// Returns how many input pixels on each side count, at scale 1.
double support_of(Kernel kernel) { return kernel == Kernel::kBicubic ? 2.0 : 1.0; }

// Adds eight bytes, each times its weight.
inline __attribute__((always_inline)) void accumulate(Ints8& sums, const std::uint8_t* bytes, const Ints8& weights) {
  Ints8 wide;
  for (int i = 0; i < 8; ++i) wide[i] = bytes[i];  // one instruction; __builtin_convertvector takes twenty in GCC 12
  sums += wide * weights;
}

inline std::uint8_t clip(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> kPrecision, 0, 255)); }

constexpr std::int32_t kHalf = 1 << (kPrecision - 1);

// Filters one row: writes four bytes per output pixel to `to`. `from` starts at input pixel `first`.
FOR_EACH_PROCESSOR
void along_row(const Filter& filter, const std::uint8_t* from, int first, std::uint8_t* to) {
  for (int x = 0; x < filter.count(); ++x) {
    const std::uint8_t* pixel = from + std::size_t{4} * (filter.start(x) - first);
    const std::int32_t* weight = filter.weights(x);
    const int taps = filter.taps(x);
    Ints8 sums = {kHalf, kHalf, kHalf, kHalf, 0, 0, 0, 0};
    for (int t = 0; t + 1 < taps; t += 2) {
      const std::int32_t a = weight[t], b = weight[t + 1];
      accumulate(sums, pixel + 4 * t, Ints8{a, a, a, a, b, b, b, b});
    }
    if (taps % 2) {
      const std::uint8_t* last = pixel + 4 * (taps - 1);
      sums += Ints8{last[0], last[1], last[2], last[3], 0, 0, 0, 0} * weight[taps - 1];
    }
    for (int c = 0; c < 4; ++c) to[4 * x + c] = clip(sums[c] + sums[c + 4]);
  }
}

// Filters columns: writes one row of `bytes` bytes from `taps` rows, which are `stride` bytes apart.
FOR_EACH_PROCESSOR
void along_columns(const std::int32_t* weights, int taps, const std::uint8_t* from, std::size_t stride,
                   std::size_t bytes, std::uint8_t* to) {
  if (bytes < 8) {  // a single column fills no vector
    for (std::size_t x = 0; x < bytes; ++x) {
      std::int32_t sum = kHalf;
      for (int t = 0; t < taps; ++t) sum += weights[t] * from[stride * t + x];
      to[x] = clip(sum);
    }
    return;
  }
  for (std::size_t next = 0; next < bytes; next += 8) {
    const std::size_t x = std::min(next, bytes - 8);  // the last vector overlaps the previous one
    Ints8 sums = Ints8{} + kHalf;
    for (int t = 0; t < taps; ++t) accumulate(sums, from + stride * t + x, Ints8{} + weights[t]);
    for (int i = 0; i < 8; ++i) to[x + i] = clip(sums[i]);
  }
}

// Whether the columns come first. Pillow does so since version 13, which changes the rounding.
bool columns_first(const Image& image, std::int64_t width, std::int64_t height) {
  return height < image.height && image.height - height > 2 * (image.width - width);
}

// Resizes by the filters of both axes, in Pillow's order. `result` gets the size of the filters.
void resample(const Image& image, const Filter& columns, const Filter& rows, bool columns_first, Image& result,
              Image& scratch) {
  const int width = columns.count(), height = rows.count();
  result.resize(width, height);
  if (columns_first) {
    const int left = columns.start(0), right = columns.start(width - 1) + columns.taps(width - 1);
    scratch.resize(right - left, height);
    const std::size_t stride = std::size_t{4} * image.width, bytes = std::size_t{4} * (right - left);
    for (int y = 0; y < height; ++y) {
      const std::uint8_t* from = image.row(rows.start(y)) + std::size_t{4} * left;
      along_columns(rows.weights(y), rows.taps(y), from, stride, bytes, scratch.row(y));
      along_row(columns, scratch.row(y), left, result.row(y));
    }
  } else {
    const int top = rows.start(0), bottom = rows.start(height - 1) + rows.taps(height - 1);
    scratch.resize(width, bottom - top);
    const std::size_t stride = std::size_t{4} * width;
    for (int y = top; y < bottom; ++y) along_row(columns, image.row(y), 0, scratch.row(y - top));
    for (int y = 0; y < height; ++y) {
      along_columns(rows.weights(y), rows.taps(y), scratch.row(rows.start(y) - top), stride, stride, result.row(y));
    }
  }
}

}  // namespace

Filter::Filter(Kernel kernel, int input, int output, int first, int count) {
  const double scale = static_cast<double>(input) / output, stretch = std::max(scale, 1.0);
  const double support = support_of(kernel) * stretch;
  std::vector<double> weights;
  for (int i = first; i < first + count; ++i) {
    const double center = (i + 0.5) * scale;
    const int start = input == output ? i : std::max(static_cast<int>(center - support + 0.5), 0);
    const int end = input == output ? i + 1 : std::min(static_cast<int>(center + support + 0.5), input);
    weights.clear();
    for (int x = start; x < end; ++x) {
      const double distance = (x - center + 0.5) * (1.0 / stretch);
      weights.push_back(kernel == Kernel::kBicubic ? bicubic(distance) : bilinear(distance));
    }
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    parts_.push_back({start, end - start, weights_.size()});
    for (const double weight : weights) {
      const double scaled = weight / sum * (1 << kPrecision);
      weights_.push_back(static_cast<std::int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5));
    }
  }
}

void resized_crop(const Image& image, int short_side, int size, Image& crop, Image& scratch) {
  const int shorter = std::min(image.width, image.height);
  const auto resized = [&](int side) {  // the long side is rounded down, as in torchvision
    const double pixels = static_cast<double>(short_side) * side / shorter;
    if (pixels > std::numeric_limits<int>::max()) throw ImageError("too long and thin to be resized");
    return static_cast<int>(pixels);
  };
  const int width = resized(image.width), height = resized(image.height);
  const auto filter = [&](int input, int output) {
    const auto first = static_cast<int>(std::nearbyint((output - size) / 2.0));  // rounds half to even
    return Filter(Kernel::kBicubic, input, output, first, size);
  };
  resample(image, filter(image.width, width), filter(image.height, height), columns_first(image, width, height), crop,
           scratch);
}

void stretched(const Image& image, int size, Image& result, Image& scratch) {
  const auto filter = [&](int input) { return Filter(Kernel::kBilinear, input, size, 0, size); };
  resample(image, filter(image.width), filter(image.height), columns_first(image, size, size), result, scratch);
}

}  // namespace tinynet
