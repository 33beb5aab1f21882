#include "check.hpp"
#include "numerics/dense.hpp"

namespace kpm {
namespace {

Matrix random_matrix(test::Random& random, int rows, int columns) {
  Matrix matrix(rows, columns);
  for (double& entry : matrix.reshaped()) {
    entry = random.uniform(-1.0, 1.0);
  }
  return matrix;
}

}  // namespace

TEST(a_dot_product_is_exact_to_rounding_for_every_length) {
  test::Random random(1);
  for (int count = 0; count <= 40; ++count) {
    const Matrix rows = random_matrix(random, 2, count);
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

TEST(a_gram_matrix_is_added_to_the_lower_triangle_by_either_kernel) {
  test::Random random(2);
  for (const int columns : {1, 2, 7, 200, 700}) {  // the library's kernel from 1,500 entries on
    const Matrix rows = random_matrix(random, 5, columns);
    Matrix sum = Matrix::Constant(5, 5, 2.0);
    add_gram(rows, sum);
    for (int k = 0; k < 5; ++k) {
      for (int l = 0; l < 5; ++l) {
        const double expected = l <= k ? 2.0 + rows.row(k).dot(rows.row(l)) : 2.0;
        CHECK_NEAR(sum(k, l), expected, 1e-13 * columns);
      }
    }
  }
}

}  // namespace kpm
