#include "numerics/linear_equations.hpp"

#include <Eigen/QR>
#include <cmath>

namespace kpm {

namespace {

using Decomposition = Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXd>;

Decomposition decompose(const Eigen::MatrixXd& a, double dependent) {
  Decomposition decomposition;
  if (dependent > 0.0) {
    decomposition.setThreshold(dependent);
  }
  decomposition.compute(a);
  return decomposition;
}

/// Whether a decomposition is bound to find all columns independent. With F^2 the sum of all
/// squares and D^2 the determinant of A'A, A shrinks no direction below D / F^(n-1), and no pivot
/// is more than F: so it is where D / F^n is more than `dependent`, and the more where its square
/// is. `dependent` is far above what rounding makes of A'A.
bool surely_independent(const Eigen::MatrixXd& a, double dependent) {
  constexpr Eigen::Index kMost = 8;
  const Eigen::Index n = a.cols();
  if (n > kMost || a.rows() < n) {
    return false;
  }
  double root[kMost][kMost];  // a Cholesky factor of A'A
  double squares = 0.0;
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j <= i; ++j) {
      double sum = 0.0;
      for (Eigen::Index row = 0; row < a.rows(); ++row) {
        sum += a(row, i) * a(row, j);
      }
      root[i][j] = sum;
    }
    squares += root[i][i];
  }
  double determinant = 1.0;  // in units of F to the n, squared
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j <= i; ++j) {
      for (Eigen::Index k = 0; k < j; ++k) {
        root[i][j] -= root[i][k] * root[j][k];
      }
      if (j < i) {
        root[i][j] /= root[j][j];
      }
    }
    determinant *= root[i][i] / squares;
    if (!(determinant > dependent)) {
      return false;
    }
    root[i][i] = std::sqrt(root[i][i]);
  }
  return true;
}

}  // namespace

Matrix kernel(const Eigen::MatrixXd& a, double dependent) {
  if (surely_independent(a, dependent)) {
    return Matrix(a.cols(), 0);
  }
  const Decomposition decomposition = decompose(a, dependent);
  // A = Q [T 0; 0 0] Z: the last columns of Z' span the kernel.
  const Eigen::MatrixXd basis = decomposition.matrixZ().transpose();
  return decomposition.colsPermutation() * basis.rightCols(a.cols() - decomposition.rank());
}

Vector least_norm_solution(const Eigen::MatrixXd& a, const Vector& b, double dependent) {
  return decompose(a, dependent).solve(b);
}

}  // namespace kpm
