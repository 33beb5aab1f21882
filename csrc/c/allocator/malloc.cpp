// The allocator of libkpm's own code. The library is linked (--wrap) so that its parts of the C++
// run-time library, of Eigen and of the core call these functions instead of the C library's; its
// callers do not. An engine in its caller's memory has a heap there, from which its functions take
// all memory.
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "../heap.hpp"

// The names are the linker's. NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {

void* __real_malloc(std::size_t size);
void* __real_calloc(std::size_t count, std::size_t size);
void* __real_realloc(void* memory, std::size_t size);
void* __real_aligned_alloc(std::size_t alignment, std::size_t size);
int __real_posix_memalign(void** memory, std::size_t alignment, std::size_t size);
void __real_free(void* memory);

void* __wrap_malloc(std::size_t size) {
  kpm::c::Heap* const heap = kpm::c::heap_in_use();
  return heap != nullptr ? heap->allocate(size) : __real_malloc(size);
}

void* __wrap_calloc(std::size_t count, std::size_t size) {
  kpm::c::Heap* const heap = kpm::c::heap_in_use();
  if (heap == nullptr) {
    return __real_calloc(count, size);
  }
  if (size > 0 && count > SIZE_MAX / size) {
    return nullptr;
  }
  void* const memory = heap->allocate(count * size);
  return memory != nullptr ? std::memset(memory, 0, count * size) : nullptr;
}

void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size) {
  kpm::c::Heap* const heap = kpm::c::heap_in_use();
  return heap != nullptr ? heap->allocate(size, alignment) : __real_aligned_alloc(alignment, size);
}

int __wrap_posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  kpm::c::Heap* const heap = kpm::c::heap_in_use();
  if (heap == nullptr) {
    return __real_posix_memalign(memory, alignment, size);
  }
  void* const taken = heap->allocate(size, alignment);
  if (taken == nullptr) {
    return ENOMEM;
  }
  *memory = taken;
  return 0;
}

void __wrap_free(void* memory) {
  kpm::c::Heap* const heap = kpm::c::heap_in_use();
  if (heap != nullptr && memory != nullptr && heap->contains(memory)) {
    heap->release(memory);
  } else {
    __real_free(memory);
  }
}

void* __wrap_realloc(void* memory, std::size_t size) {
  kpm::c::Heap* const heap = kpm::c::heap_in_use();
  if (heap == nullptr || (memory != nullptr && !heap->contains(memory))) {
    return __real_realloc(memory, size);
  }
  void* const larger = heap->allocate(size);
  if (larger != nullptr && memory != nullptr) {
    const std::size_t before = kpm::c::Heap::size_of(memory);
    std::memcpy(larger, memory, before < size ? before : size);
    heap->release(memory);
  }
  return larger;
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier)
