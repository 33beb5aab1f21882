// Arrays that get another size when there is no memory for it: they are as they were, and freed
// once.
#include <new>
#include <utility>

#include "check.hpp"
#include "library/counted_malloc.hpp"
#include "numerics/dense.hpp"

namespace kpm {

namespace {

/// Whether the change of an array whose allocation fails leaves it as it was, and goes well later.
template <class Entries, class Change>
bool survives(const Entries& entries, Change&& change) {
  Entries array = entries;
  const double* const data = array.data();
  bool refused = false;
  test::fail_allocation(1, true);
  try {
    change(array);
  } catch (const std::bad_alloc&) {
    refused = true;
  }
  test::stop_failing();
  const bool same = array.data() == data && array.rows() == entries.rows() &&
                    array.cols() == entries.cols() && (array == entries).all();
  change(array);
  return refused && same && array.size() != entries.size() && array(array.size() - 1) == 2.0;
}

/// The same by another size, by an expression, by a copy, and to an empty array.
template <class Entries>
void check(Eigen::Index rows, Eigen::Index columns) {
  const Entries old = Entries::Constant(rows, columns, 1.0);
  for (const int size : {1, 5, 40}) {
    const Entries other = Entries::Constant(rows == 1 ? 1 : size, columns == 1 ? 1 : size, 2.0);
    for (const Entries& array : {old, Entries()}) {
      CHECK(survives(array, [&](Entries& changed) {
        changed.resize(other.rows(), other.cols());
        changed.setConstant(2.0);
      }));
      CHECK(survives(array, [&](Entries& changed) { changed = other; }));
      CHECK(survives(array, [&](Entries& changed) { changed = 0.5 * (other + other); }));
    }
  }
}

}  // namespace

TEST(an_array_that_cannot_be_resized_is_as_it_was) {
  if (!test::kCounts) {
    SKIP(test::kCountsNot);
  }
  using ByColumns = Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic>;
  using ByRows = Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  check<Array>(7, 1);
  check<Eigen::Array<double, 1, Eigen::Dynamic, Eigen::RowMajor>>(1, 7);
  check<ByColumns>(7, 3);
  check<ByRows>(7, 3);
}

TEST(an_array_of_the_same_size_is_not_allocated_again) {
  Matrix matrix = Matrix::Constant(3, 4, 1.0);
  const double* const data = matrix.data();
  matrix.resize(6, 2);
  CHECK(matrix.data() == data && matrix.rows() == 6 && matrix.cols() == 2);
  CHECK((matrix.array() == 1.0).all());
  matrix.resize(0, 2);
  CHECK(matrix.data() == nullptr && matrix.cols() == 2);
  Matrix moved = std::move(matrix);
  moved = Matrix::Constant(2, 2, 3.0);
  CHECK(moved.sum() == 12.0);
}

}  // namespace kpm
