#include <Eigen/LU>

#include "check.hpp"
#include "numerics/semidefinite_cholesky.hpp"
#include "random_dense.hpp"

namespace kpm {

TEST(positive_definite_systems_are_solved) {
  test::Random random(6);
  for (int size = 1; size <= 80; ++size) {  // by columns, by rows, by tiles
    const Matrix rows = test::random_matrix(random, size, size + 5);
    const Matrix square = rows * rows.transpose();
    Arena arena;
    SemidefiniteCholesky factor(size, arena);
    factor.compute(square);
    Vector x = test::random_vector(random, size);
    const Vector right = x;
    factor.solve_in_place(x);
    CHECK_NEAR((square * x - right).norm(), 0.0, 1e-9);
  }
}

TEST(the_rows_after_zeros_have_the_bits_of_the_whole_solution) {
  test::Random random(66);
  for (int size = 1; size < 24; ++size) {
    const Matrix rows = test::random_matrix(random, size, size + 5);
    Arena arena;
    SemidefiniteCholesky factor(size, arena);
    factor.compute(Matrix(rows * rows.transpose()));
    for (int first = 0; first < size; ++first) {
      Vector whole = test::random_vector(random, size);
      whole.head(first).setZero();
      Vector part = whole;
      factor.solve_in_place(whole);
      factor.solve_from(first, part.data());
      CHECK((part.tail(size - first).array() == whole.tail(size - first).array()).all());
    }
  }
}

TEST(a_factor_by_tiles_has_the_bits_of_one_by_columns) {
  test::Random random(65);
  for (const int size : {64, 65, 66, 67, 90}) {
    Matrix rows = test::random_matrix(random, size, size + 5);
    rows.row(size / 2) = rows.row(1);  // redundant
    const Matrix square = rows * rows.transpose();
    Arena arena;
    SemidefiniteCholesky by_tiles(size, arena);
    by_tiles.compute(square);
    // A leading part small enough for columns: the same rows of the same factor.
    SemidefiniteCholesky by_columns(size, arena);
    by_columns.compute(square.data(), size, 63);
    for (int j = 0; j < 63; ++j) {
      CHECK(by_tiles.pivot_of(j) == by_columns.pivot_of(j));
    }
    CHECK(by_tiles.is_redundant(size / 2));
  }
}

TEST(redundant_rows_are_left_out) {
  test::Random random(7);
  for (int trial = 0; trial < 200; ++trial) {
    const int size = 6 + random.below(8);
    Matrix rows = test::random_matrix(random, size, size + 5);
    rows.row(size - 1) = rows.row(0);                        // an equal claim
    rows.row(1).setZero();                                   // a price that is known
    rows.row(size - 2) = 0.5 * (rows.row(2) + rows.row(3));  // a mixture of others
    const Matrix square = rows * rows.transpose();
    const Vector truth = test::random_vector(random, size);
    const Vector right = square * truth;  // in the range, as of a Newton system
    Arena arena;
    SemidefiniteCholesky factor(size, arena);
    factor.compute(square);
    Vector x = right;
    factor.solve_in_place(x);
    CHECK_NEAR((square * x - right).norm(), 0.0, 1e-9 * (1.0 + right.norm()));
    CHECK(x[1] == 0.0);
    CHECK(x[size - 1] == 0.0);
    for (const int row : {1, size - 2, size - 1}) {
      CHECK(factor.is_redundant(row));
      Vector null(size);
      factor.null_vector(row, null.data());
      CHECK(null[row] == 1.0);
      CHECK_NEAR((square * null).norm(), 0.0, 1e-10 * null.norm());
    }
    CHECK(!factor.is_redundant(0));
  }
}

TEST(a_smaller_system_fits_into_the_same_memory) {
  Arena arena;
  SemidefiniteCholesky factor(6, arena);
  const Matrix square = (Matrix(2, 2) << 4.0, 2.0, 2.0, 5.0).finished();
  factor.compute(square);
  Vector x(2);
  x << 8.0, 12.0;
  factor.solve_in_place(x);
  CHECK_NEAR(x[0], 1.0, 1e-15);
  CHECK_NEAR(x[1], 2.0, 1e-15);
}

TEST(a_scaled_inverse_is_added_to_the_lower_triangle) {
  test::Random random(64);
  for (int trial = 0; trial < 100; ++trial) {
    const Eigen::Index size = 1 + random.below(24);
    const Matrix root = test::random_matrix(random, size, size + 2);
    const Matrix square = Matrix::Identity(size, size) + root * root.transpose();
    Vector scale = test::random_vector(random, size);
    for (Eigen::Index zeros = random.below(4); zeros > 0; --zeros) {
      scale[random.below(static_cast<int>(size))] = 0.0;
    }
    const Matrix before = test::random_matrix(random, size, size);
    Arena arena;
    SemidefiniteCholesky factor(size, arena);
    factor.compute(square);
    Matrix scratch(size, size);
    Matrix after = before;
    Vector line(size);
    factor.add_inverse(scale.data(), scratch, line.data(), after);
    const Matrix inverse = scale.asDiagonal() * square.inverse() * scale.asDiagonal();
    for (Eigen::Index k = 0; k < size; ++k) {
      for (Eigen::Index l = 0; l < size; ++l) {
        // The upper triangle is not written.
        CHECK_NEAR(after(k, l), before(k, l) + (l <= k ? inverse(k, l) : 0.0), 1e-13);
      }
    }
  }
}

}  // namespace kpm
