// Whether the library under test has an allocator of its own.
#pragma once

namespace kpm::test {

/// libkpm has one on Linux, except where a sanitizer's takes its place: csrc/CMakeLists.txt.
#if defined(__linux__) && !defined(KPM_SANITIZED)
constexpr bool kOwnAllocator = true;
#else
constexpr bool kOwnAllocator = false;
#endif
constexpr const char* kNoOwnAllocator =
    "this library has no allocator of its own: not on Linux, or under a sanitizer";

}  // namespace kpm::test
