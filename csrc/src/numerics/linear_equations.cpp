#include "numerics/linear_equations.hpp"

#include <Eigen/QR>

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

}  // namespace

Matrix kernel(const Eigen::MatrixXd& a, double dependent) {
  const Decomposition decomposition = decompose(a, dependent);
  // A = Q [T 0; 0 0] Z: the last columns of Z' span the kernel.
  const Eigen::MatrixXd basis = decomposition.matrixZ().transpose();
  return decomposition.colsPermutation() * basis.rightCols(a.cols() - decomposition.rank());
}

Vector least_norm_solution(const Eigen::MatrixXd& a, const Vector& b, double dependent) {
  return decompose(a, dependent).solve(b);
}

}  // namespace kpm
