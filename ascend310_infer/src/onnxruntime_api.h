// The part of ONNX Runtime's C API that is used here, without its headers: packages on PyPI carry the library alone.
//
// The API is a table of functions in a fixed order that is only ever appended to, so a function is known by its place
// and signature (onnxruntime_c_api.h, "Version 1", which every release since 1.0 keeps).
#pragma once

#include <cstddef>
#include <cstdint>

namespace tinynet::ort {

struct Status;
struct Env;
struct SessionOptions;
struct Session;
struct MemoryInfo;
struct Allocator;
struct Value;
struct TypeInfo;
struct ShapeInfo;
struct RunOptions;

using Table = void (*const*)();

struct ApiBase {
  Table (*get_api)(std::uint32_t version);
  const char* (*version)();
};

template <typename Signature>
struct Slot {
  int place;
};

inline constexpr std::uint32_t kVersion = 1;
inline constexpr int kWarningLevel = 2, kErrorLevel = 3;
inline constexpr int kAllOptimizations = 99;
inline constexpr int kFloat = 1, kUInt8 = 2, kFloat16 = 10;  // element types
inline constexpr int kArenaAllocator = 1, kDefaultMemory = 0;

inline constexpr Slot<const char*(const Status*)> kGetErrorMessage{2};
inline constexpr Slot<Status*(int level, const char* name, Env**)> kCreateEnv{3};
inline constexpr Slot<Status*(const Env*, const char* path, const SessionOptions*, Session**)> kCreateSession{7};
inline constexpr Slot<Status*(Session*, const RunOptions*, const char* const* inputs, const Value* const* values,
                              std::size_t input_count, const char* const* outputs, std::size_t output_count,
                              Value** results)>
    kRun{9};
inline constexpr Slot<Status*(SessionOptions**)> kCreateSessionOptions{10};
inline constexpr Slot<Status*(SessionOptions*)> kDisableMemPattern{17};
inline constexpr Slot<Status*(SessionOptions*, int level)> kSetOptimizationLevel{23};
inline constexpr Slot<Status*(SessionOptions*, int threads)> kSetIntraOpThreads{24};
inline constexpr Slot<Status*(const Session*, std::size_t*)> kInputCount{30};
inline constexpr Slot<Status*(const Session*, std::size_t*)> kOutputCount{31};
inline constexpr Slot<Status*(const Session*, std::size_t index, TypeInfo**)> kInputType{33};
inline constexpr Slot<Status*(const Session*, std::size_t index, TypeInfo**)> kOutputType{34};
inline constexpr Slot<Status*(const Session*, std::size_t index, Allocator*, char**)> kInputName{36};
inline constexpr Slot<Status*(const Session*, std::size_t index, Allocator*, char**)> kOutputName{37};
inline constexpr Slot<Status*(const MemoryInfo*, void* data, std::size_t bytes, const std::int64_t* shape,
                              std::size_t rank, int type, Value**)>
    kCreateTensor{49};
inline constexpr Slot<Status*(Value*, void** data)> kTensorData{51};
inline constexpr Slot<Status*(const TypeInfo*, const ShapeInfo**)> kShapeOfType{55};
inline constexpr Slot<Status*(const ShapeInfo*, int*)> kElementType{60};
inline constexpr Slot<Status*(const ShapeInfo*, std::size_t*)> kRank{61};
inline constexpr Slot<Status*(const ShapeInfo*, std::int64_t* shape, std::size_t rank)> kShape{62};
inline constexpr Slot<Status*(int allocator, int memory, MemoryInfo**)> kCreateCpuMemoryInfo{69};
inline constexpr Slot<Status*(Allocator*, void*)> kFree{76};
inline constexpr Slot<Status*(Allocator**)> kDefaultAllocator{78};
inline constexpr Slot<void(Env*)> kReleaseEnv{92};
inline constexpr Slot<void(Status*)> kReleaseStatus{93};
inline constexpr Slot<void(MemoryInfo*)> kReleaseMemoryInfo{94};
inline constexpr Slot<void(Session*)> kReleaseSession{95};
inline constexpr Slot<void(Value*)> kReleaseValue{96};
inline constexpr Slot<void(TypeInfo*)> kReleaseTypeInfo{98};
inline constexpr Slot<void(SessionOptions*)> kReleaseSessionOptions{100};

}  // namespace tinynet::ort
