// What MindSpore's `ops.Custom(..., "aot")` calls: a C function of all inputs and then all outputs. No header of
// MindSpore is needed. All tensors are float32 and contiguous.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <initializer_list>

#include "huge_pages.h"

enum Fault { NONE = 0, WRONG_COUNT = 101, WRONG_TYPE = 102, WRONG_SHAPE = 103, WRONG_SETTING = 104, FAILED = 105 };

// The tensors of a call: inputs, then outputs.
struct Tensors {
  int count;
  void** data;
  int* ranks;
  int64_t** shapes;
  const char** types;

  float* operator[](int64_t i) const { return static_cast<float*>(data[i]); }
  int64_t dim(int64_t i, int axis) const { return axis < ranks[i] ? shapes[i][axis] : 0; }
  int64_t size(int64_t i) const {
    int64_t n = 1;
    for (int axis = 0; axis < ranks[i]; ++axis) n *= shapes[i][axis];
    return n;
  }
  bool has_shape(int64_t i, std::initializer_list<int64_t> shape) const {
    return ranks[i] == (int)shape.size() && std::equal(shape.begin(), shape.end(), shapes[i]);
  }
  bool same_shape(int64_t i, int64_t j) const {
    return ranks[i] == ranks[j] && std::equal(shapes[i], shapes[i] + ranks[i], shapes[j]);
  }
  void prefer_huge_pages() const {
    for (int i = 0; i < count; ++i) use_huge_pages(data[i], size(i) * (int64_t)sizeof(float));
  }
  Fault check(int64_t expected) const {
    if (count != expected) return WRONG_COUNT;
    for (int i = 0; i < count; ++i)
      if (std::strcmp(types[i], "float32") != 0) return WRONG_TYPE;
    return NONE;
  }
};

// Runs the body of an operator. Exceptions, such as of a full memory, become a fault, which MindSpore raises as an
// error.
inline int run_operator(const Tensors& tensors, Fault (*body)(const Tensors&)) {
  try {
    tensors.prefer_huge_pages();
    return body(tensors);
  } catch (...) {
    return FAILED;
  }
}

// OPERATOR(Name) { ... return NONE; } defines an operator whose tensors are `x`.
#define OPERATOR(name)                                                                                             \
  static Fault name##Body(const Tensors& x);                                                                       \
  extern "C" __attribute__((visibility("default"))) int name(int count, void** data, int* ranks, int64_t** shapes, \
                                                             const char** types, void*, void*) {                   \
    return run_operator(Tensors{count, data, ranks, shapes, types}, name##Body);                                   \
  }                                                                                                                \
  static Fault name##Body(const Tensors& x)

#define EXPECT(condition, fault) \
  if (!(condition)) return fault

#define EXPECT_TENSORS(n) \
  if (const Fault fault = x.check(n); fault != NONE) return fault
