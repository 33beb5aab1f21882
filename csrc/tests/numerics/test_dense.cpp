#include "numerics/dense.hpp"
#include "random_dense.hpp"

namespace kpm {

TEST(a_dot_product_is_exact_to_rounding_for_every_length) {
  test::Random random(1);
  for (int count = 0; count <= 40; ++count) {
    const Matrix rows = test::random_matrix(random, 2, count);
    long double sum = 0.0L;
    long double size = 0.0L;
    for (int i = 0; i < count; ++i) {
      const long double product = static_cast<long double>(rows(0, i)) * rows(1, i);
      sum += product;
      size += std::abs(product);
    }
    const double found = dot(rows.data(), rows.data() + count, count);
    CHECK_NEAR(found, static_cast<double>(sum), 1e-15 * static_cast<double>(size));
  }
}

TEST(sums_in_order_are_those_of_a_loop_over_each_row) {
  test::Random random(2);
  for (const int rows : {1, 3, 4, 6, 9}) {
    const Matrix matrix = test::random_matrix(random, rows, 7);
    const Matrix x = test::random_matrix(random, 1, 7);
    Array sums = Array::Constant(rows, 2.0);
    add_in_order(matrix, [&](Eigen::Index i) { return x(0, i); }, sums.data());
    for (int k = 0; k < rows; ++k) {
      double sum = 2.0;
      for (int i = 0; i < 7; ++i) {
        sum += matrix(k, i) * x(0, i);
      }
      CHECK(sums[k] == sum);
    }
  }
}

/// Or else a sum of more than some 500 products would have other bits on another processor.
TEST(products_of_matrices_are_cut_alike_on_every_processor) {
  CHECK(Eigen::l1CacheSize() == 48 << 10);
  CHECK(Eigen::l2CacheSize() == 1 << 20);
}

}  // namespace kpm
