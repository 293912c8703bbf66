// Rules for a model's outputs, and their values in the order of the images. Both back ends use them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "input_spec.h"
#include "task.h"

namespace tinynet {

struct Output {
  std::vector<int> shape;  // of one image: {classes}, {anchors, 4} or {anchors, classes + 1}
  bool is_half = false;    // float16 instead of float32

  std::size_t values() const;  // of one image
  std::size_t bytes() const { return values() * (is_half ? 2 : sizeof(float)); }
};

// Returns how many outputs a network has: the logits, or boxes and scores.
std::size_t output_count(Task task);

// Returns the outputs of a model. A classifier has [batch, classes]; a detector has boxes [batch, anchors, 4] and
// scores [batch, anchors, classes + 1]. They are float32 or float16; batch 0 matches any. Further outputs are ignored.
// Throws UserError for any others.
std::vector<Output> check_outputs(const std::string& model, Task task, const std::vector<TensorInfo>& found, int batch);

// Returns how many values one image has in all outputs together.
std::size_t values_per_image(const std::vector<Output>& outputs);

// Copies the first `count` images of each tensor to `values`. There, the values of an image lie together, output by
// output, as float32. `tensors` has the memory of each output.
void gather(const std::vector<Output>& outputs, const std::vector<const void*>& tensors, int count, float* values);

}  // namespace tinynet
