// The middle of an inverted residual: BatchNorm, activation, depthwise convolution, BatchNorm, activation.
#pragma once
#include "depthwise_layout.h"
#include "norm.h"
#include "operator.h"

// Sizes and settings. Settings are those of the first norm (4), of the second (4), stride, 1 if padded as TensorFlow
// does.
struct Middle {
  int64_t N, C;
  NormSettings first, last;
  Layout layout;
  int64_t in, out;  // pixels of a map

  Middle(const Tensors& x, int64_t kernel, const float* numbers)
      : N(x.dim(0, 0)),
        C(x.dim(0, 1)),
        first(numbers),
        last(numbers + 4),
        layout(x.dim(0, 2), x.dim(0, 3), (int)kernel, (int)numbers[8], numbers[9] != 0, N),
        in(layout.height * layout.width),
        out(layout.out_height * layout.out_width) {}
};

// What the operators compute for maps so small that vectors of them would be half empty. `kept` are the outputs of the
// convolution as panels, which only the backward pass reads. See norm_depthwise.cpp for the tensors.
void forward_in_panels(const Tensors& x, const Middle& middle);
void backward_in_panels(const Tensors& x, const Middle& middle);
