// A heap in memory that the caller provides.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kpm::c {

/// Two-level segregated fit: a list of free blocks for each of sixteen sizes between two powers of
/// two, and bits that say which lists are not empty. Allocating and freeing are O(1) with no system
/// call and no lock; adjacent free blocks are merged at once, so that a heap to which everything
/// was returned is as it was at first.
class Heap {
 public:
  static constexpr std::size_t kAlignment = 16;
  /// The memory that the heap itself needs, besides the header of each block.
  static constexpr std::size_t kOverhead = 2 * kAlignment;

  /// Borrows the memory, aligned to kAlignment, for its whole life.
  Heap(void* memory, std::size_t size) noexcept;
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  /// Null if there is no such block.
  void* allocate(std::size_t size) noexcept;
  /// `alignment`: a power of two.
  void* allocate(std::size_t size, std::size_t alignment) noexcept;
  void release(void* memory) noexcept;
  /// The bytes that an allocated block has room for.
  static std::size_t size_of(const void* memory) noexcept;

  bool contains(const void* memory) const noexcept {
    const auto* const at = static_cast<const std::byte*>(memory);
    return at >= begin_ && at < end_;
  }

  std::size_t used() const noexcept { return used_; }
  std::size_t most_used() const noexcept { return most_used_; }

 private:
  static constexpr int kSteps = 16;  // lists between two powers of two
  static constexpr int kPowers = 60;

  struct Block {
    Block* before;       // in memory
    std::size_t figure;  // bytes of the block without this header; the last bit: it is free
    // In a free block only, where an allocated one has its data:
    Block* next;
    Block* previous;
  };
  static constexpr std::size_t kHeader = offsetof(Block, next);
  static_assert(kHeader % kAlignment == 0);

  static std::size_t size_of(const Block* block) noexcept {
    return block->figure & ~std::size_t{1};
  }
  static bool is_free(const Block* block) noexcept { return (block->figure & 1U) != 0; }
  static Block* after(Block* block) noexcept;
  void enter(Block* block) noexcept;
  void leave(Block* block) noexcept;
  Block* find(std::size_t size) noexcept;
  void cut(Block* block, std::size_t size) noexcept;
  void* hand_out(Block* block) noexcept;

  const std::byte* begin_;
  const std::byte* end_;
  std::size_t used_ = 0, most_used_ = 0;
  std::uint64_t powers_ = 0;
  std::uint32_t steps_[kPowers] = {};
  Block* free_[kPowers][kSteps] = {};
};

/// Where this thread's allocations come from; null: from wherever the program's do.
Heap* heap_in_use() noexcept;

/// Has this thread's allocations come from a heap, until its end.
class HeapScope {
 public:
  explicit HeapScope(Heap* heap) noexcept;
  ~HeapScope();
  HeapScope(const HeapScope&) = delete;
  HeapScope& operator=(const HeapScope&) = delete;

 private:
  Heap* before_;
};

}  // namespace kpm::c
