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

inline double dot(const double* a, const double* b, Eigen::Index count) {
  double sum = 0.0;
  for (Eigen::Index i = 0; i < count; ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

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
  void compute(const Matrix& matrix, double redundant = kRedundant) {
    compute(matrix, matrix.rows(), redundant);
  }

  /// Factor the leading `size` rows and columns only.
  void compute(const Matrix& matrix, Eigen::Index size, double redundant) {
    size_ = size;
    const Eigen::Index stride = factor_.cols();
    double* const row = row_.data();  // row j of L times the pivots
    for (Eigen::Index j = 0; j < size; ++j) {
      const double* const matrix_j = matrix.data() + j * matrix.cols();
      const double* const factor_j = factor_.data() + j * stride;
      double pivot = matrix_j[j];
      for (Eigen::Index p = 0; p < j; ++p) {
        row[p] = factor_j[p] * pivot_[p];
        pivot -= row[p] * factor_j[p];
      }
      // A redundant row gets pivot 0 and an empty column: it neither moves nor is moved.
      pivot_[j] = pivot > redundant * matrix_j[j] ? pivot : 0.0;
      const double inverse = pivot_[j] > 0.0 ? 1.0 / pivot_[j] : 0.0;
      inverse_pivot_[j] = inverse;
      for (Eigen::Index i = j + 1; i < size; ++i) {
        double value = matrix.data()[i * matrix.cols() + j];
        double* const factor_i = factor_.data() + i * stride;
        for (Eigen::Index p = 0; p < j; ++p) {
          value -= factor_i[p] * row[p];
        }
        factor_i[j] = value * inverse;
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

  void solve_in_place(Vector& x) const { solve_in_place(x.data()); }

  void solve_in_place(double* x) const {
    const Eigen::Index stride = factor_.cols();
    for (Eigen::Index j = 0; j < size_; ++j) {
      x[j] -= dot(factor_.data() + j * stride, x, j);
    }
    for (Eigen::Index j = size_ - 1; j >= 0; --j) {
      const double* column = factor_.data() + j;
      double value = x[j] * inverse_pivot_[j];
      for (Eigen::Index i = j + 1; i < size_; ++i) {
        value -= column[i * stride] * x[i];
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
