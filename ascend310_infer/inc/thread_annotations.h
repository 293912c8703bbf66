// Macros for Clang's thread safety analysis (-Wthread-safety). They expand to nothing for other compilers.
//
// https://clang.llvm.org/docs/ThreadSafetyAnalysis.html describes each attribute.
#pragma once

#if defined(__clang__)
#define TINYNET_THREAD_ANNOTATION(attribute) __attribute__((attribute))
#else
#define TINYNET_THREAD_ANNOTATION(attribute)
#endif

#define CAPABILITY(name) TINYNET_THREAD_ANNOTATION(capability(name))
#define SCOPED_CAPABILITY TINYNET_THREAD_ANNOTATION(scoped_lockable)
#define GUARDED_BY(mutex) TINYNET_THREAD_ANNOTATION(guarded_by(mutex))
#define ACQUIRE(...) TINYNET_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RELEASE(...) TINYNET_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define REQUIRES(...) TINYNET_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) TINYNET_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
