// Memory that is kept from one large array to the next.
#include <algorithm>
#include <cstdint>
#include <thread>

#include "check.hpp"
#include "numerics/large_array.hpp"

namespace kpm {

namespace {

constexpr std::size_t kEntries = 5 * kLarge / sizeof(double);

std::uintptr_t place_of(const LargeArray<double>& array) {
  return reinterpret_cast<std::uintptr_t>(array.data());
}

/// Where an array of so many entries, all of which were written, was.
std::uintptr_t use(std::size_t entries) {
  LargeArray<double> array(entries);
  std::fill(array.begin(), array.end(), 1.0);
  return place_of(array);
}

}  // namespace

TEST(a_large_array_has_the_memory_of_the_last_one_of_its_size) {
  const std::uintptr_t place = use(kEntries);
  const LargeArray<double> next(kEntries - 5);
  CHECK(place_of(next) == place);
  const LargeArray<double> beside(kEntries);
  CHECK(place_of(beside) != place);
}

TEST(no_two_arrays_share_memory) {
  test::Random random(5);
  std::vector<LargeArray<double>> arrays;
  for (int turn = 0; turn < 3000; ++turn) {
    if (arrays.size() > 12 || (!arrays.empty() && random.below(2) == 0)) {
      const auto at = static_cast<std::size_t>(random.below(static_cast<int>(arrays.size())));
      const double id = arrays[at].front();
      CHECK(arrays[at].back() == id && arrays[at][arrays[at].size() / 2] == id);
      arrays[at] = std::move(arrays.back());
      arrays.pop_back();
    } else {
      const std::size_t size = kEntries / static_cast<std::size_t>(1 + random.below(8));
      LargeArray<double> array(size);
      array.front() = array[size / 2] = array.back() = turn;
      arrays.push_back(std::move(array));
    }
  }
}

TEST(no_more_is_kept_than_stated) {
  constexpr std::size_t kHalf = kMostKept / 2 / sizeof(double);
  const std::uintptr_t place = use(kEntries);
  CHECK(kept_memory() >= kEntries * sizeof(double));
  {
    const LargeArray<double> first(kHalf);
    const LargeArray<double> second(kHalf);
    const LargeArray<double> third(kHalf);
    CHECK(place_of(first) != place && place_of(second) != place && place_of(third) != place);
  }
  CHECK(kept_memory() == kMostKept);
  {
    const LargeArray<double> larger(3 * kHalf);
  }
  CHECK(kept_memory() == kMostKept);
}

TEST(what_one_thread_gives_back_another_may_have) {
  std::uintptr_t place = 0;
  std::thread([&] { place = use(kEntries); }).join();
  CHECK(use(kEntries) == place);
}

TEST(nothing_is_kept_of_memory_that_is_not_to_be_large) {
  const std::size_t before = kept_memory();
  allow_large_memory(false);
  use(5 * kEntries);
  allow_large_memory(true);
  CHECK(kept_memory() == before);
}

}  // namespace kpm
