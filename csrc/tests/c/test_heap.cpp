// The heap in its caller's memory.
#include <cstring>
#include <vector>

#include "check.hpp"
#include "heap.hpp"

namespace kpm::test {

namespace {

struct Piece {
  unsigned char* memory;
  std::size_t size;
  unsigned char mark;
};

bool untouched(const Piece& piece) {
  for (std::size_t at = 0; at < piece.size; ++at) {
    if (piece.memory[at] != piece.mark) {
      return false;
    }
  }
  return true;
}

/// The largest block that can be allocated.
std::size_t largest(c::Heap& heap, std::size_t most) {
  std::size_t low = 0;
  std::size_t high = most;
  while (high - low > c::Heap::kAlignment) {
    const std::size_t middle = (low + high) / 2;
    void* const memory = heap.allocate(middle);
    (memory != nullptr ? low : high) = middle;
    if (memory != nullptr) {
      heap.release(memory);
    }
  }
  return low;
}

}  // namespace

TEST(a_heap_hands_out_pieces_that_do_not_overlap_and_is_whole_when_all_are_back) {
  constexpr std::size_t kSize = 1 << 16;
  alignas(64) static unsigned char memory[kSize];
  c::Heap heap(memory, kSize);
  const std::size_t whole = largest(heap, kSize);
  CHECK(whole > kSize - 4 * c::Heap::kOverhead);
  Random random(86);
  std::vector<Piece> pieces;
  int refused = 0;
  for (int step = 0; step < 40000; ++step) {
    if (pieces.empty() || random.below(100) < 55) {
      const auto size = static_cast<std::size_t>(random.below(random.below(20) == 0 ? 9000 : 300));
      const std::size_t alignment = std::size_t{1} << random.below(8);
      auto* const piece = static_cast<unsigned char*>(heap.allocate(size, alignment));
      if (piece == nullptr) {
        ++refused;
        continue;
      }
      const std::size_t aligned = alignment > 16 ? alignment : 16;
      CHECK(reinterpret_cast<std::uintptr_t>(piece) % aligned == 0);
      CHECK(piece >= memory && piece + size <= memory + kSize && heap.contains(piece));
      CHECK(c::Heap::size_of(piece) >= size);
      const auto mark = static_cast<unsigned char>(random.below(256));
      std::memset(piece, mark, size);
      pieces.push_back({piece, size, mark});
    } else {
      const auto at = static_cast<std::size_t>(random.below(static_cast<int>(pieces.size())));
      CHECK(untouched(pieces[at]));
      heap.release(pieces[at].memory);
      pieces[at] = pieces.back();
      pieces.pop_back();
    }
  }
  CHECK(refused > 100);
  for (const Piece& piece : pieces) {
    CHECK(untouched(piece));
    heap.release(piece.memory);
  }
  CHECK(heap.used() == 0);
  CHECK(heap.most_used() > kSize / 2);
  CHECK(largest(heap, kSize) == whole);
}

TEST(a_heap_without_room_hands_out_nothing) {
  alignas(16) unsigned char memory[40];
  c::Heap heap(memory, sizeof memory);
  CHECK(heap.allocate(1) == nullptr);
  CHECK(heap.allocate(~std::size_t{0}) == nullptr);
  CHECK(heap.allocate(1, 4096) == nullptr);
}

TEST(allocations_come_from_the_innermost_heap_until_its_end) {
  alignas(16) unsigned char memory[1024];
  c::Heap heap(memory, sizeof memory);
  CHECK(c::heap_in_use() == nullptr);
  {
    const c::HeapScope outer(&heap);
    CHECK(c::heap_in_use() == &heap);
    {
      const c::HeapScope inner(nullptr);
      CHECK(c::heap_in_use() == nullptr);
    }
    CHECK(c::heap_in_use() == &heap);
  }
  CHECK(c::heap_in_use() == nullptr);
}

}  // namespace kpm::test
