// The heap of an engine in the test's memory, and what is left of it.
#pragma once

#include <cstddef>
#include <cstring>
#include <vector>

#include "heap.hpp"
#include "kpm/kpm.h"

namespace kpm::test {

/// A handle begins with a mark and the address of its heap.
inline c::Heap& heap_of(const kpm_engine* engine) {
  c::Heap* heap = nullptr;
  std::memcpy(&heap, reinterpret_cast<const unsigned char*>(engine) + sizeof(std::uint64_t),
              sizeof heap);
  return *heap;
}

/// Takes all of a heap but some bytes, for as long as it lives.
class Starved {
 public:
  Starved(const kpm_engine* engine, std::size_t left) : heap_(heap_of(engine)) {
    void* const kept = heap_.allocate(left);
    for (std::size_t size = std::size_t{1} << 30U; size > 0; size /= 2) {
      while (void* const block = heap_.allocate(size)) {
        taken_.push_back(block);
      }
    }
    if (kept != nullptr) {
      heap_.release(kept);
    }
  }
  ~Starved() {
    for (void* const block : taken_) {
      heap_.release(block);
    }
  }
  Starved(const Starved&) = delete;
  Starved& operator=(const Starved&) = delete;

 private:
  c::Heap& heap_;
  std::vector<void*> taken_;
};

}  // namespace kpm::test
