#include "numerics/large_array.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace kpm {

namespace {

struct Block {
  void* memory;
  std::size_t size;
};

/// What was given back, the oldest first. It needs no destructor: threads may outlive it.
struct Kept {
  std::array<Block, 256> blocks;
  std::size_t count;
  std::size_t size;

  Block remove(std::size_t at) noexcept {
    const Block removed = blocks[at];
    std::move(blocks.begin() + at + 1, blocks.begin() + count, blocks.begin() + at);
    --count;
    size -= removed.size;
    return removed;
  }
};

Kept kept;
std::atomic_flag busy = ATOMIC_FLAG_INIT;  // who finds it set does without what is kept
thread_local bool large_allowed = true;

/// Sizes are rounded up to an eighth, so that a book finds what one like it has left.
std::size_t rounded(std::size_t bytes) noexcept {
  std::size_t step = kLarge / 8;
  while (16 * step <= bytes) {
    step *= 2;
  }
  return (bytes + step - 1) / step * step;
}

void* take_kept(std::size_t size) noexcept {
  void* taken = nullptr;
  if (!busy.test_and_set(std::memory_order_acquire)) {
    for (std::size_t at = kept.count; at-- > 0 && taken == nullptr;) {
      if (kept.blocks[at].size == size) {
        taken = kept.remove(at).memory;
      }
    }
    busy.clear(std::memory_order_release);
  }
  return taken;
}

/// Give up what is kept until so many bytes, and a block, have room.
void make_room(std::size_t bytes) noexcept {
  while (kept.count > 0 && (kept.size + bytes > kMostKept || kept.count == kept.blocks.size())) {
    ::operator delete(kept.remove(0).memory);
  }
}

void* allocate(std::size_t size) {
  void* const memory = ::operator new(size, std::nothrow);
  if (memory != nullptr) {
    return memory;
  }
  if (!busy.test_and_set(std::memory_order_acquire)) {
    make_room(kMostKept);
    busy.clear(std::memory_order_release);
  }
  return ::operator new(size);
}

}  // namespace

void* take_large(std::size_t bytes) {
  if (!large_allowed) {
    return ::operator new(bytes);
  }
  const std::size_t size = rounded(bytes);
  void* memory = take_kept(size);
  if (memory == nullptr) {
    memory = allocate(size);
    ask_for_large_pages(memory, size);
  }
  return memory;
}

void give_back_large(void* memory, std::size_t bytes) noexcept {
  const std::size_t size = rounded(bytes);
  if (!large_allowed || size > kMostKept || busy.test_and_set(std::memory_order_acquire)) {
    ::operator delete(memory);
    return;
  }
  make_room(size);
  kept.blocks[kept.count++] = {memory, size};
  kept.size += size;
  busy.clear(std::memory_order_release);
}

std::size_t kept_memory() noexcept { return kept.size; }

void allow_large_memory(bool allowed) noexcept { large_allowed = allowed; }

#ifdef __linux__

void ask_for_large_pages(void* memory, std::size_t bytes) noexcept {
  constexpr std::size_t kHalfOfOne = std::size_t{1} << 20;
  if (bytes < kHalfOfOne || !large_allowed) {
    return;
  }
  // The pages at either end as well, so that neighbours' requests join: what is not whole large
  // pages stays as it is.
  constexpr std::uintptr_t kPage = 4096;
  const std::uintptr_t before = reinterpret_cast<std::uintptr_t>(memory) % kPage;
  const std::size_t pages = (before + bytes + kPage - 1) / kPage;
  // Where it is refused (there are no such pages, or pages of another size) nothing is lost.
  static_cast<void>(
      madvise(static_cast<std::byte*>(memory) - before, pages * kPage, MADV_HUGEPAGE));
}

#else

void ask_for_large_pages(void* /*memory*/, std::size_t /*bytes*/) noexcept {}

#endif

}  // namespace kpm
