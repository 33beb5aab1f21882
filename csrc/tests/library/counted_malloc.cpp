#include "library/counted_malloc.hpp"

#if defined(__GLIBC__) && !defined(KPM_SANITIZED)
#include <cerrno>
#include <cstdlib>

namespace {

long asked = 0;
long fails_at = 0;  // the call that fails, by `asked`; 0: none
bool fails_later = false;
long failed = 0;

/// Counts a call. Whether it is to fail.
bool fails() {
  ++asked;
  const bool now = fails_at > 0 && (asked == fails_at || (fails_later && asked > fails_at));
  failed += now ? 1 : 0;
  return now;
}

void* no_memory() {
  errno = ENOMEM;
  return nullptr;
}

}  // namespace

namespace kpm::test {

long allocations() { return asked; }

void fail_allocation(long n, bool later_too) {
  failed = 0;
  fails_later = later_too;
  fails_at = asked + n;
}

long stop_failing() {
  fails_at = 0;
  return failed;
}

}  // namespace kpm::test

// Names of glibc. NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) { return fails() ? no_memory() : __libc_malloc(size); }
void* calloc(std::size_t count, std::size_t size) {
  return fails() ? no_memory() : __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  return fails() ? no_memory() : __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return fails() ? no_memory() : __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  *memory = fails() ? nullptr : __libc_memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier)
#endif
