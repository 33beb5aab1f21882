// A Cholesky factorisation that tolerates redundant rows, which no library offers.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include "numerics/arena.hpp"
#include "numerics/dense.hpp"
#include "numerics/twofold.hpp"

namespace kpm {

/// LDL' of a symmetric positive semi-definite matrix, without pivoting. A pivot reduced to rounding
/// error marks a row that depends on earlier ones (an equal claim, a price that others imply): its
/// multiplier is fixed at zero instead of exploding. Library factorisations either stop there or
/// pivot, which is slow for tiny systems.
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
      Eigen::Index i = j + 1;
      if constexpr (std::is_same_v<Real, double>) {
        for (; i + 4 <= size; i += 4) {
          const std::array<double, 4> products = dot_rows(factor(i), stride_, row, j);
          for (Eigen::Index r = 0; r < 4; ++r) {
            const double entry = matrix[(i + r) * columns + j];
            factor(i + r)[j] = (entry - products[static_cast<std::size_t>(r)]) * inverse;
          }
        }
      }
      for (; i < size; ++i) {
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

  /// Add b (LDL')^-1 b, with b a diagonal, to the lower triangle of a row-major matrix: as the sum
  /// of squares of the rows of L^-1 b, at most a third of the work of solving column by column, and
  /// along rows, so that no addition waits for the one before. Columns where b is zero are left
  /// out. `rows` is scratch of the matrix's size, `line` of one of its rows.
  template <class Square>
  void add_inverse(const Real* b, Square& rows, Real* line, Square& matrix) const {
    const auto is_held = [](Real entry) { return entry != 0.0; };
    const Eigen::Index most = std::count_if(b, b + size_, is_held);
    Eigen::Index before = 0;
    for (Eigen::Index j = 0; j < size_; ++j) {
      Real* const row = &rows(j, 0);
      std::fill_n(row, most, Real(0.0));
      if (is_held(b[j])) {
        row[before++] = b[j];
      }
      const Real* const times = factor(j);
      Eigen::Index held = 0;  // columns in which the rows so far may have an entry
      Eigen::Index p = 0;
      for (; p + 4 <= j; p += 4) {
        held += std::count_if(b + p, b + p + 4, is_held);
        Line(row, held) -= times[p] * ConstLine(&rows(p, 0), held) +
                           times[p + 1] * ConstLine(&rows(p + 1, 0), held) +
                           times[p + 2] * ConstLine(&rows(p + 2, 0), held) +
                           times[p + 3] * ConstLine(&rows(p + 3, 0), held);
      }
      for (; p < j; ++p) {
        held += is_held(b[p]) ? 1 : 0;
        Line(row, held) -= times[p] * ConstLine(&rows(p, 0), held);
      }
    }
    const Real* const inverse_pivot = pivot() + stride_;
    Eigen::Index column = 0;
    for (Eigen::Index k = 0; k < size_; ++k) {
      if (!is_held(b[k])) {
        continue;
      }
      const Eigen::Index length = column + 1;
      const auto times = [&](Eigen::Index j) { return inverse_pivot[j] * rows(j, column); };
      Line sum(line, length);
      sum.setZero();
      Eigen::Index j = k;
      for (; j + 4 <= size_; j += 4) {
        sum += times(j) * ConstLine(&rows(j, 0), length) +
               times(j + 1) * ConstLine(&rows(j + 1, 0), length) +
               times(j + 2) * ConstLine(&rows(j + 2, 0), length) +
               times(j + 3) * ConstLine(&rows(j + 3, 0), length);
      }
      for (; j < size_; ++j) {
        sum += times(j) * ConstLine(&rows(j, 0), length);
      }
      const Real* entry = line;
      for (Eigen::Index l = 0; l <= k; ++l) {
        if (is_held(b[l])) {
          matrix(k, l) += *entry++;
        }
      }
      ++column;
    }
  }

  Real pivot_of(Eigen::Index row) const { return pivot()[row]; }

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
  using Line = Eigen::Map<Eigen::Array<Real, Eigen::Dynamic, 1>>;
  using ConstLine = Eigen::Map<const Eigen::Array<Real, Eigen::Dynamic, 1>>;

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
