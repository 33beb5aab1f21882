#include "heap.hpp"

#include <algorithm>

#include "kpm/memory.hpp"

namespace kpm::c {

namespace {

thread_local Heap* in_use = nullptr;

#if defined(__GNUC__)
int highest_bit(std::uint64_t bits) noexcept { return 63 - __builtin_clzll(bits); }
int lowest_bit(std::uint64_t bits) noexcept { return __builtin_ctzll(bits); }
#else
int highest_bit(std::uint64_t bits) noexcept {
  int at = 0;
  for (int step = 32; step > 0; step /= 2) {
    if ((bits >> (at + step)) != 0) {
      at += step;
    }
  }
  return at;
}
int lowest_bit(std::uint64_t bits) noexcept { return highest_bit(bits & (~bits + 1)); }
#endif

/// Which list a size belongs to: its highest bit, and the four below it.
struct Place {
  explicit Place(std::size_t size) noexcept
      : power(highest_bit(size)), step(static_cast<int>((size >> (power - 4)) & 15U)) {}
  int power;
  int step;
};

constexpr std::size_t rounded_up(std::size_t size, std::size_t alignment) noexcept {
  return (size + alignment - 1) & ~(alignment - 1);
}

}  // namespace

Heap::Heap(void* memory, std::size_t size) noexcept
    : begin_(static_cast<const std::byte*>(memory)), end_(begin_ + size) {
  // One block of all of it, and an end that is never free.
  const std::size_t whole = size / kAlignment * kAlignment;
  if (whole < 2 * kHeader + kAlignment) {
    return;
  }
  auto* const first = static_cast<Block*>(memory);
  first->before = nullptr;
  first->figure = whole - 2 * kHeader;
  Block* const end = after(first);
  end->before = first;
  end->figure = 0;
  enter(first);
}

Heap::Block* Heap::after(Block* block) noexcept {
  return reinterpret_cast<Block*>(reinterpret_cast<std::byte*>(block) + kHeader + size_of(block));
}

void Heap::enter(Block* block) noexcept {
  const Place place(size_of(block));
  Block*& first = free_[place.power][place.step];
  block->figure |= 1U;
  block->previous = nullptr;
  block->next = first;
  if (first != nullptr) {
    first->previous = block;
  }
  first = block;
  powers_ |= std::uint64_t{1} << place.power;
  steps_[place.power] |= 1U << place.step;
}

void Heap::leave(Block* block) noexcept {
  const Place place(size_of(block));
  Block*& first = free_[place.power][place.step];
  (block->previous == nullptr ? first : block->previous->next) = block->next;
  if (block->next != nullptr) {
    block->next->previous = block->previous;
  }
  block->figure &= ~std::size_t{1};
  if (first == nullptr) {
    steps_[place.power] &= ~(1U << place.step);
    if (steps_[place.power] == 0) {
      powers_ &= ~(std::uint64_t{1} << place.power);
    }
  }
}

/// Takes a free block of at least `size` bytes out of its list.
Heap::Block* Heap::find(std::size_t size) noexcept {
  // All blocks of the list above are large enough; of its own list some may be.
  Place place(size + (std::size_t{1} << (highest_bit(size) - 4)) - 1);
  std::uint32_t steps = steps_[place.power] & (~0U << place.step);
  if (steps == 0) {
    const std::uint64_t powers = powers_ & (~std::uint64_t{0} << (place.power + 1));
    if (powers == 0) {
      // The last resort of a heap that is nearly full: what is in the size's own list.
      const Place own(size);
      for (Block* block = free_[own.power][own.step]; block != nullptr; block = block->next) {
        if (size_of(block) >= size) {
          leave(block);
          return block;
        }
      }
      return nullptr;
    }
    place.power = lowest_bit(powers);
    steps = steps_[place.power];
  }
  place.step = lowest_bit(steps);
  Block* const block = free_[place.power][place.step];
  leave(block);
  return block;
}

/// Keeps `size` bytes of a block that is in no list, and returns the rest to the heap.
void Heap::cut(Block* block, std::size_t size) noexcept {
  const std::size_t all = size_of(block);
  if (all < size + kHeader + kAlignment) {
    return;
  }
  block->figure = size;
  Block* const rest = after(block);
  rest->before = block;
  rest->figure = all - size - kHeader;
  after(rest)->before = rest;
  enter(rest);
}

void* Heap::hand_out(Block* block) noexcept {
  used_ += kHeader + size_of(block);
  most_used_ = std::max(most_used_, used_);
  return static_cast<void*>(&block->next);
}

void* Heap::allocate(std::size_t size) noexcept {
  if (size > static_cast<std::size_t>(end_ - begin_)) {
    return nullptr;
  }
  size = std::max(rounded_up(size, kAlignment), kAlignment);
  Block* const block = find(size);
  if (block == nullptr) {
    return nullptr;
  }
  cut(block, size);
  return hand_out(block);
}

void* Heap::allocate(std::size_t size, std::size_t alignment) noexcept {
  if (alignment <= kAlignment) {
    return allocate(size);
  }
  const auto whole = static_cast<std::size_t>(end_ - begin_);
  if (size > whole || alignment > whole) {
    return nullptr;
  }
  size = std::max(rounded_up(size, kAlignment), kAlignment);
  Block* block = find(size + alignment + kHeader + kAlignment);
  if (block == nullptr) {
    return nullptr;
  }
  // The next aligned address; if it is not this one, with room before it for a block of its own.
  const auto from = reinterpret_cast<std::uintptr_t>(&block->next);
  std::uintptr_t to = (from + alignment - 1) & ~(static_cast<std::uintptr_t>(alignment) - 1);
  if (to != from) {
    to = (from + kHeader + kAlignment + alignment - 1) &
         ~(static_cast<std::uintptr_t>(alignment) - 1);
    const std::size_t all = size_of(block);
    block->figure = to - from - kHeader;
    Block* const aligned = after(block);
    aligned->before = block;
    aligned->figure = all - (to - from);
    after(aligned)->before = aligned;
    enter(block);
    block = aligned;
  }
  cut(block, size);
  return hand_out(block);
}

void Heap::release(void* memory) noexcept {
  auto* block = reinterpret_cast<Block*>(static_cast<std::byte*>(memory) - kHeader);
  used_ -= kHeader + size_of(block);
  Block* const next = after(block);
  if (is_free(next)) {
    leave(next);
    block->figure += kHeader + size_of(next);
  }
  if (block->before != nullptr && is_free(block->before)) {
    Block* const before = block->before;
    leave(before);
    before->figure += kHeader + size_of(block);
    block = before;
  }
  after(block)->before = block;
  enter(block);
}

std::size_t Heap::size_of(const void* memory) noexcept {
  return size_of(reinterpret_cast<const Block*>(static_cast<const std::byte*>(memory) - kHeader));
}

Heap* heap_in_use() noexcept { return in_use; }

HeapScope::HeapScope(Heap* heap) noexcept : before_(in_use) {
  in_use = heap;
  keep_large_memory(heap == nullptr);
}

HeapScope::~HeapScope() {
  in_use = before_;
  keep_large_memory(before_ == nullptr);
}

}  // namespace kpm::c
