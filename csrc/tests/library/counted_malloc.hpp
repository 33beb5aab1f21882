// Counts this program's calls of the C library's allocator.
#pragma once

#include <cstddef>  // for __GLIBC__

namespace kpm::test {

#if defined(__GLIBC__) && !defined(KPM_SANITIZED)
constexpr bool kCounts = true;
/// Calls so far. Not thread-safe: the tests that use it start no thread.
long allocations();
#else
constexpr bool kCounts = false;  // an allocator that cannot be replaced
inline long allocations() { return 0; }
#endif

}  // namespace kpm::test
