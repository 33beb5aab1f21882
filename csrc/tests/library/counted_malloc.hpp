// What this program asks the C library's allocator for, counted.
#pragma once

#include <cstddef>  // for __GLIBC__

namespace kpm::test {

#if defined(__GLIBC__) && !defined(KPM_SANITIZED)
constexpr bool kCounts = true;
/// Calls so far. Of one thread: the tests that look at it start no other.
long allocations();
#else
constexpr bool kCounts = false;  // an allocator that cannot be replaced
inline long allocations() { return 0; }
#endif

}  // namespace kpm::test
