// TEST DOUBLE of an ONNX Runtime that is too old: it provides API versions up to 17 only.
#include "onnxruntime_c_api.h"

extern "C" const OrtApiBase* OrtGetApiBase() NO_EXCEPTION {
  static const OrtApi api{};
  static const OrtApiBase base = {[](uint32_t version) NO_EXCEPTION { return version <= 17 ? &api : nullptr; },
                                  []() NO_EXCEPTION { return "1.17.3"; }};
  return &base;
}
