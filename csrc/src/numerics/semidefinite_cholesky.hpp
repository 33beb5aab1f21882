// A Cholesky factorisation that shrugs off redundant rows: the one that no library offers.
#pragma once

#include "numerics/arena.hpp"
#include "numerics/dense.hpp"

namespace kpm {

/// LDL' of a symmetric positive semi-definite matrix, without pivoting. A pivot that rounding has
/// reduced to nothing marks a row that depends on earlier ones (an equal claim, a price that others
/// imply): its multiplier is fixed at zero instead of exploding. Library factorisations either
/// stop there or pivot, which would cost the warm cache of tiny systems.
class SemidefiniteCholesky {
 public:
  SemidefiniteCholesky(Eigen::Index size, Arena& arena)
      : memory_(arena.array(size * (size + 3)).data()), stride_(size), size_(size) {}

  /// Factor `matrix` (only its lower triangle is read), no larger than reserved. A pivot below
  /// `redundant` times its diagonal entry counts as zero.
  template <class Square>
  void compute(const Square& matrix, double redundant = kRedundant) {
    compute(matrix.data(), matrix.cols(), matrix.rows(), redundant);
  }

  /// Factor the leading `size` rows and columns of a row-major matrix.
  void compute(const double* matrix, Eigen::Index columns, Eigen::Index size,
               double redundant = kRedundant) {
    size_ = size;
    double* const pivots = pivot();
    double* const row = pivots + 2 * stride_;  // row j of L times the pivots
    for (Eigen::Index j = 0; j < size; ++j) {
      const double* const factor_j = factor(j);
      const double diagonal = matrix[j * columns + j];
      double rest = diagonal;
      for (Eigen::Index p = 0; p < j; ++p) {
        row[p] = factor_j[p] * pivots[p];
        rest -= row[p] * factor_j[p];
      }
      // A redundant row gets pivot 0 and an empty column: it neither moves nor is moved.
      rest = rest > redundant * diagonal ? rest : 0.0;
      const double inverse = rest > 0.0 ? 1.0 / rest : 0.0;
      pivots[j] = rest;
      pivots[stride_ + j] = inverse;
      for (Eigen::Index i = j + 1; i < size; ++i) {
        double* const factor_i = factor(i);
        factor_i[j] = (matrix[i * columns + j] - dot(factor_i, row, j)) * inverse;
      }
    }
  }

  void solve_in_place(Vector& x) const { solve_in_place(x.data()); }

  void solve_in_place(double* x) const {
    const double* const inverse_pivot = pivot() + stride_;
    for (Eigen::Index j = 0; j < size_; ++j) {
      x[j] -= dot(factor(j), x, j);
    }
    for (Eigen::Index j = size_ - 1; j >= 0; --j) {
      double value = x[j] * inverse_pivot[j];
      for (Eigen::Index i = j + 1; i < size_; ++i) {
        value -= factor(i)[j] * x[i];
      }
      x[j] = value;
    }
  }

 private:
  static constexpr double kRedundant = 1e-13;

  double* factor(Eigen::Index row) { return memory_ + row * stride_; }
  const double* factor(Eigen::Index row) const { return memory_ + row * stride_; }
  double* pivot() { return factor(stride_); }
  const double* pivot() const { return factor(stride_); }

  double* const memory_;  // unit lower triangular factor, pivots, their inverses, a row
  const Eigen::Index stride_;
  Eigen::Index size_;
};

}  // namespace kpm
