// Memory that runs out at any allocation: an error code, and the next call works.
#include <cstdlib>
#include <new>

#include "c_book.hpp"

namespace {

// Not thread-safe: the tests that use it start no thread.
long remaining = -1;  // allocations that succeed; -1: all of them

}  // namespace

void* operator new(std::size_t size) {
  if (remaining == 0) {
    throw std::bad_alloc();
  }
  remaining -= remaining > 0 ? 1 : 0;
  if (void* const memory = std::malloc(size > 0 ? size : 1)) {
    return memory;
  }
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  if (remaining == 0) {  // scratch that std::stable_sort can do without
    return nullptr;
  }
  remaining -= remaining > 0 ? 1 : 0;
  return std::malloc(size > 0 ? size : 1);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t& /*tag*/) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace kpm {

TEST(running_out_of_memory_is_a_code_wherever_it_happens) {
  test::Random random(81);
  const test::CBook book(random, 5, 4, 30);
  test::CResult whole(book.book);
  CHECK(book.clear(whole.result) == KPM_OK);
  test::CResult result(book.book);
  long needed = 0;
  for (;; ++needed) {
    remaining = needed;
    const std::int32_t code = book.clear(result.result);
    remaining = -1;
    if (code == KPM_OK) {
      break;
    }
    CHECK(code == KPM_OUT_OF_MEMORY);
    CHECK(test::last_error().code == KPM_OUT_OF_MEMORY);
  }
  CHECK(needed > 10);
  CHECK(result.fills == whole.fills);
  CHECK(result.result.certainty_equivalent == whole.result.certainty_equivalent);
}

}  // namespace kpm
