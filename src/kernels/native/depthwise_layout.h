// Where the pixels of a depthwise convolution lie, so that each output is one and the same sum of shifted inputs.
//
// The maps of a channel are copied one behind the other, with zeros around their rows. Then vectors need not stop at
// the end of a row or of a map: outputs i, i + 1, ... read inputs i + offset, i + 1 + offset, ... for each tap of the
// kernel. With stride 2, the pixels of even and odd rows and columns are copied to four arrays ("phases"), so that
// outputs side by side read inputs side by side. Some outputs belong to no pixel; they are computed and ignored.
#pragma once
#include <algorithm>
#include <type_traits>

#include "vectors.h"

constexpr int MOST_TAPS = 49;  // of a 7x7 kernel
constexpr int MOST_ROWS = 8;   // that are computed at a time

struct Layout {
  int64_t height, width, out_height, out_width;
  int kernel, stride, phases;
  int64_t top, left;      // zeros above and left of a map
  int64_t row, rows;      // floats of a padded row, and padded rows of a map, in a phase
  int64_t block;          // floats of a padded map in a phase
  int64_t images;         // maps that are computed at a time
  int64_t reach, length;  // from an output to its last input; floats of a phase with all that is read behind its maps

  // `same` pads as TensorFlow does; else half of the kernel is padded on each side.
  Layout(int64_t height, int64_t width, int kernel, int stride, bool same, int64_t batch)
      : height(height), width(width), kernel(kernel), stride(stride), phases(stride * stride) {
    out_height = (height + stride - 1) / stride, out_width = (width + stride - 1) / stride;
    top = padding(height, out_height, same), left = padding(width, out_width, same);
    row = padded(width, out_width, left), rows = padded(height, out_height, top);
    block = row * rows;
    images = std::clamp<int64_t>(4096 / (block * phases), 1, batch);  // 16 KB stay in the first cache
    reach = (kernel - 1) / stride * (row + 1);
    length = (images * block + reach + MOST_ROWS * row + 2 * LANES + 15) / 16 * 16;
  }

  // The place of a map's pixel in the phases. All pixels of a row that have the same x % stride lie side by side.
  int64_t place(int64_t image, int64_t y, int64_t x) const {
    const int64_t v = y + top, u = x + left;
    const int odd = stride - 1, half = stride - 1;  // v & odd is v % stride, and v >> half is v / stride
    return ((v & odd) * stride + (u & odd)) * length + image * block + (v >> half) * row + (u >> half);
  }

 private:
  int64_t padding(int64_t size, int64_t out, bool same) const {
    return same ? std::max<int64_t>(0, (out - 1) * stride + kernel - size) / 2 : kernel / 2;
  }
  // Zeros at the beginning of a row serve as those at the end of the row before.
  int64_t padded(int64_t size, int64_t out, int64_t before) const {
    return std::max(out + (kernel - 1) / stride - before / stride, (size - 1 + before) / stride + 1);
  }
};

// Calls f(constant kernel size, constant stride).
template <class F>
void with_kernel(const Layout& layout, F f) {
  const auto with_stride = [&](auto kernel) {
    layout.stride == 1 ? f(kernel, std::integral_constant<int, 1>{}) : f(kernel, std::integral_constant<int, 2>{});
  };
  if (layout.kernel == 3) return with_stride(std::integral_constant<int, 3>{});
  if (layout.kernel == 5) return with_stride(std::integral_constant<int, 5>{});
  with_stride(std::integral_constant<int, 7>{});
}
