// A Cholesky factorisation that shrugs off redundant rows: the one that no library offers.
#pragma once

#include <algorithm>
#include <type_traits>

#include "numerics/arena.hpp"
#include "numerics/dense.hpp"
#include "numerics/twofold.hpp"

namespace kpm {

/// LDL' of a symmetric positive semi-definite matrix, without pivoting. A pivot that rounding has
/// reduced to nothing marks a row that depends on earlier ones (an equal claim, a price that others
/// imply): its multiplier is fixed at zero instead of exploding. Library factorisations either
/// stop there or pivot, which would cost the warm cache of tiny systems.
template <class Real>
class BasicSemidefiniteCholesky {
 public:
  BasicSemidefiniteCholesky(Eigen::Index size, Arena& arena)
      : memory_(arena.span<Real>(size * (size + 3)).begin()), stride_(size), size_(size) {}

  /// A pivot below this share of its diagonal entry counts as zero.
  static constexpr double kRedundant = std::is_same_v<Real, double> ? 1e-13 : 1e-30;

  /// Factor `matrix` (only its lower triangle is read), no larger than reserved.
  template <class Square>
  void compute(const Square& matrix, double redundant = kRedundant) {
    compute(matrix.data(), matrix.cols(), matrix.rows(), redundant);
  }

  /// Factor the leading `size` rows and columns of a row-major matrix.
  void compute(const Real* matrix, Eigen::Index columns, Eigen::Index size,
               double redundant = kRedundant) {
    compute(matrix, columns, size, redundant, [](double) {});
  }

  /// The same. `pause` is called before each column with the operations ahead, and may throw.
  template <class Pause>
  void compute(const Real* matrix, Eigen::Index columns, Eigen::Index size, double redundant,
               Pause&& pause) {
    size_ = size;
    Real* const pivots = pivot();
    Real* const row = pivots + 2 * stride_;  // row j of L times the pivots
    for (Eigen::Index j = 0; j < size; ++j) {
      pause(static_cast<double>(j * (size - j)));
      const Real* const factor_j = factor(j);
      const Real diagonal = matrix[j * columns + j];
      Real rest = diagonal;
      for (Eigen::Index p = 0; p < j; ++p) {
        row[p] = factor_j[p] * pivots[p];
        rest -= row[p] * factor_j[p];
      }
      // A redundant row gets pivot 0 and an empty column: it neither moves nor is moved.
      rest = rest > redundant * diagonal ? rest : Real(0.0);
      const Real inverse = rest > 0.0 ? Real(1.0) / rest : Real(0.0);
      pivots[j] = rest;
      pivots[stride_ + j] = inverse;
      for (Eigen::Index i = j + 1; i < size; ++i) {
        Real* const factor_i = factor(i);
        factor_i[j] = (matrix[i * columns + j] - dot(factor_i, row, j)) * inverse;
      }
    }
  }

  void solve_in_place(Vector& x) const { solve_in_place(x.data()); }

  void solve_in_place(Real* x) const {
    const Real* const inverse_pivot = pivot() + stride_;
    for (Eigen::Index j = 0; j < size_; ++j) {
      x[j] -= dot(factor(j), x, j);
    }
    for (Eigen::Index j = size_ - 1; j >= 0; --j) {
      Real value = x[j] * inverse_pivot[j];
      for (Eigen::Index i = j + 1; i < size_; ++i) {
        value -= factor(i)[j] * x[i];
      }
      x[j] = value;
    }
  }

  /// Whether the row depends on earlier ones.
  bool is_redundant(Eigen::Index row) const { return !(pivot()[row] > 0.0); }

  /// How it does: `x` with x[row] = 1, zero for later rows and for other redundant ones, that the
  /// matrix maps to zero.
  void null_vector(Eigen::Index row, Real* x) const {
    std::fill_n(x, size_, Real(0.0));
    x[row] = 1.0;
    for (Eigen::Index j = row - 1; j >= 0; --j) {
      Real value = 0.0;
      for (Eigen::Index i = j + 1; i <= row; ++i) {
        value -= factor(i)[j] * x[i];
      }
      x[j] = value;
    }
  }

 private:
  Real* factor(Eigen::Index row) { return memory_ + row * stride_; }
  const Real* factor(Eigen::Index row) const { return memory_ + row * stride_; }
  Real* pivot() { return factor(stride_); }
  const Real* pivot() const { return factor(stride_); }

  Real* const memory_;  // unit lower triangular factor, pivots, their inverses, a row
  const Eigen::Index stride_;
  Eigen::Index size_;
};

using SemidefiniteCholesky = BasicSemidefiniteCholesky<double>;

}  // namespace kpm
