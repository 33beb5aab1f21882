// Counts this program's calls of the C library's allocator, and has some of them fail.
#pragma once

#include <cstddef>  // for __GLIBC__

namespace kpm::test {

#if defined(__GLIBC__) && !defined(KPM_SANITIZED)
constexpr bool kCounts = true;
/// Calls so far. Not thread-safe: the tests that use it start no thread.
long allocations();
/// The n-th call from now on fails (n >= 1), and those after it if `later_too`.
void fail_allocation(long n, bool later_too);
/// From now on none fails. Returns how many did.
long stop_failing();
#else
constexpr bool kCounts = false;  // an allocator that cannot be replaced
inline long allocations() { return 0; }
inline void fail_allocation(long /*n*/, bool /*later_too*/) {}
inline long stop_failing() { return 0; }
#endif
constexpr const char* kCountsNot = "only glibc's allocator, and no sanitizer's, is counted";

}  // namespace kpm::test
