#include <cstdint>
#include <vector>

#include "check.hpp"
#include "numerics/arena.hpp"

namespace kpm {

TEST(slices_are_zeroed_aligned_and_apart) {
  test::Random random(3);
  Arena arena;
  std::vector<Slice> slices;
  for (int i = 0; i < 300; ++i) {
    slices.push_back(arena.array(random.below(i % 50 == 49 ? 40000 : 60)));  // also a block's worth
    Slice& slice = slices.back();
    CHECK(reinterpret_cast<std::uintptr_t>(slice.data()) % 16 == 0);
    CHECK((slice == 0.0).all());
    slice.setConstant(i + 1.0);
  }
  for (std::size_t i = 0; i < slices.size(); ++i) {
    CHECK((slices[i] == static_cast<double>(i) + 1.0).all());
  }
}

TEST(records_are_constructed) {
  struct Record {
    double zero;
    int seven = 7;
  };
  Arena arena;
  const Span<Record> records = arena.span<Record>(100);
  CHECK(records.size() == 100);
  for (const Record& record : records) {
    CHECK(record.zero == 0.0 && record.seven == 7);
  }
}

}  // namespace kpm
