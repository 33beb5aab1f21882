// The array types of the core, and one small kernel that no library offers: a Cholesky
// factorisation that shrugs off redundant rows.
#pragma once

#include <Eigen/Core>
#include <Eigen/LU>
#include <cmath>

namespace kpm {

using Array = Eigen::ArrayXd;
using Vector = Eigen::VectorXd;
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// LDL' of a symmetric positive semi-definite matrix, without pivoting. A pivot that rounding has
/// reduced to nothing marks a row that depends on earlier ones (an equal claim, a price that others
/// imply): its multiplier is fixed at zero instead of exploding. Library factorisations either
/// stop there or pivot, which would cost the warm cache of tiny systems.
class SemidefiniteCholesky {
 public:
  void reserve(int size) {
    factor_.setZero(size, size);
    pivot_.setZero(size);
    inverse_pivot_.setZero(size);
    row_.setZero(size);
    size_ = size;
  }

  /// Factor `matrix` (only its lower triangle is read), no larger than reserved. A pivot below
  /// `redundant` times its diagonal entry counts as zero.
  template <class Derived>
  void compute(const Eigen::MatrixBase<Derived>& matrix, double redundant = kRedundant) {
    size_ = matrix.rows();
    double* const row = row_.data();  // row j of L times the pivots
    for (Eigen::Index j = 0; j < size_; ++j) {
      double pivot = matrix(j, j);
      const double* const factor_j = &factor_(j, 0);
      for (Eigen::Index p = 0; p < j; ++p) {
        row[p] = factor_j[p] * pivot_[p];
        pivot -= row[p] * factor_j[p];
      }
      // A redundant row gets pivot 0 and an empty column: it neither moves nor is moved.
      pivot_[j] = pivot > redundant * matrix(j, j) ? pivot : 0.0;
      const double inverse = pivot_[j] > 0.0 ? 1.0 / pivot_[j] : 0.0;
      inverse_pivot_[j] = inverse;
      for (Eigen::Index i = j + 1; i < size_; ++i) {
        double value = matrix(i, j);
        const double* const factor_i = &factor_(i, 0);
        for (Eigen::Index p = 0; p < j; ++p) {
          value -= factor_i[p] * row[p];
        }
        factor_(i, j) = value * inverse;
      }
    }
  }

  /// The lower triangular L with matrix = L L'.
  void lower(Matrix& result) const {
    result.setZero();
    for (Eigen::Index j = 0; j < size_; ++j) {
      const double root = std::sqrt(pivot_[j]);
      result(j, j) = root;
      for (Eigen::Index i = j + 1; i < size_; ++i) {
        result(i, j) = factor_(i, j) * root;
      }
    }
  }

  template <class Derived>
  void solve_in_place(Eigen::MatrixBase<Derived>& x) const {
    for (Eigen::Index j = 0; j < size_; ++j) {
      double value = x[j];
      for (Eigen::Index p = 0; p < j; ++p) {
        value -= factor_(j, p) * x[p];
      }
      x[j] = value;
    }
    for (Eigen::Index j = size_ - 1; j >= 0; --j) {
      double value = x[j] * inverse_pivot_[j];
      for (Eigen::Index i = j + 1; i < size_; ++i) {
        value -= factor_(i, j) * x[i];
      }
      x[j] = value;
    }
  }

 private:
  static constexpr double kRedundant = 1e-13;

  Matrix factor_;  // unit lower triangular
  Vector pivot_;
  Vector inverse_pivot_;
  Vector row_;
  Eigen::Index size_ = 0;
};

}  // namespace kpm
