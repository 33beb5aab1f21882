// A Cholesky factorisation that tolerates redundant rows, which no library offers.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include "numerics/arena.hpp"
#include "numerics/dense.hpp"
#include "numerics/inner_products.hpp"
#include "numerics/twofold.hpp"

namespace kpm {

/// What dot() gives for each of four rows, to the last bit: b is read once, and no row's additions
/// wait for another's. Flat: of the files that include this, those compiled for size would call a
/// function for each pair of products, and the linker keeps one file's copy for all.
#if defined(__GNUC__)
[[gnu::flatten]]
#endif
inline std::array<double, 4> dot_rows(const double* rows, Eigen::Index stride, const double* b,
                                      Eigen::Index count) {
  using Two = Eigen::Array2d;
  using View = Eigen::Map<const Two>;
  const double* const a[] = {rows, rows + stride, rows + 2 * stride, rows + 3 * stride};
  Two sum0(0.0, 0.0), sum1(0.0, 0.0), sum2(0.0, 0.0), sum3(0.0, 0.0);
  Eigen::Index i = 0;
  for (; i + 1 < count; i += 2) {
    const Two both = View(b + i);
    sum0 += View(a[0] + i) * both;
    sum1 += View(a[1] + i) * both;
    sum2 += View(a[2] + i) * both;
    sum3 += View(a[3] + i) * both;
  }
  if (i < count) {
    return {sum0[0] + a[0][i] * b[i] + sum0[1], sum1[0] + a[1][i] * b[i] + sum1[1],
            sum2[0] + a[2][i] * b[i] + sum2[1], sum3[0] + a[3][i] * b[i] + sum3[1]};
  }
  return {sum0[0] + sum0[1], sum1[0] + sum1[1], sum2[0] + sum2[1], sum3[0] + sum3[1]};
}

namespace cholesky {

/// Where the parts of a factor are.
struct Parts {
  double* memory;  ///< as in BasicSemidefiniteCholesky
  Eigen::Index stride;
  Eigen::Index size;
};

/// The next columns of a factor, as many as a tile has: the bits of BasicSemidefiniteCholesky, the
/// products with the columns before them in tiles. The first rows times the pivots are kept.
void compute_columns(const Parts& parts, const double* matrix, Eigen::Index columns,
                     Eigen::Index first, double redundant);

/// Solve in place along rows, so that no addition waits for the one before.
void solve_by_rows(const Parts& parts, double* x);

}  // namespace cholesky

/// LDL' of a symmetric positive semi-definite matrix, without pivoting. A pivot reduced to rounding
/// error marks a row that depends on earlier ones (an equal claim, a price that others imply): its
/// multiplier is fixed at zero instead of exploding. Library factorisations either stop there or
/// pivot, which is slow for tiny systems.
template <class Real>
class BasicSemidefiniteCholesky {
 public:
  BasicSemidefiniteCholesky(Eigen::Index size, Arena& arena)
      : memory_(arena.span<Real>(size * (size + 2 + DotTile::kRows)).begin()),
        stride_(size),
        size_(size) {}

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
    if constexpr (std::is_same_v<Real, double>) {
      if (size >= kByTiles) {
        for (Eigen::Index first = 0; first < size; first += DotTile::kRows) {
          for (Eigen::Index j = first; j < std::min(first + DotTile::kRows, size); ++j) {
            pause(static_cast<double>(j * (size - j)));
          }
          cholesky::compute_columns(parts(), matrix, columns, first, redundant);
        }
        return;
      }
    }
    Real* const row = factor(stride_ + 2);  // row j of L times the pivots
    for (Eigen::Index j = 0; j < size; ++j) {
      pause(static_cast<double>(j * (size - j)));
      const Real* const factor_j = factor(j);
      const Real diagonal = matrix[j * columns + j];
      Real rest = diagonal;
      for (Eigen::Index p = 0; p < j; ++p) {
        row[p] = factor_j[p] * pivot()[p];
        rest -= row[p] * factor_j[p];
      }
      // A redundant row gets pivot 0 and an empty column: it neither moves nor is moved.
      rest = rest > redundant * diagonal ? rest : Real(0.0);
      const Real inverse = rest > 0.0 ? Real(1.0) / rest : Real(0.0);
      pivot()[j] = rest;
      inverse_pivot()[j] = inverse;
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
    const Real* const inverse = inverse_pivot();
    if constexpr (std::is_same_v<Real, double>) {
      if (size_ >= kByRows) {
        cholesky::solve_by_rows(parts(), x);
        return;
      }
    }
    for (Eigen::Index j = 0; j < size_; ++j) {
      x[j] -= dot(factor(j), x, j);
    }
    for (Eigen::Index j = size_ - 1; j >= 0; --j) {
      Real value = x[j] * inverse[j];
      for (Eigen::Index i = j + 1; i < size_; ++i) {
        value -= factor(i)[j] * x[i];
      }
      x[j] = value;
    }
  }

  /// The solution's rows from `first` on, where all before it are zero on the right-hand side: to
  /// the last bit those of solve_in_place(), for fewer rows than go along rows.
  void solve_from(Eigen::Index first, Real* x) const {
    const Real* const inverse = inverse_pivot();
    const Eigen::Index skipped = first - first % 2;  // pairs of products, all zero
    for (Eigen::Index j = first; j < size_; ++j) {
      x[j] -= dot(factor(j) + skipped, x + skipped, j - skipped);
    }
    for (Eigen::Index j = size_ - 1; j >= first; --j) {
      Real value = x[j] * inverse[j];
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
        const Real less[] = {-times[p], -times[p + 1], -times[p + 2], -times[p + 3]};
        add_four_rows(less, &rows(p, 0), rows.cols(), held, row);
      }
      for (; p < j; ++p) {
        held += is_held(b[p]) ? 1 : 0;
        Line(row, held) -= times[p] * ConstLine(&rows(p, 0), held);
      }
    }
    const Real* const inverse = inverse_pivot();
    Eigen::Index column = 0;
    for (Eigen::Index k = 0; k < size_; ++k) {
      if (!is_held(b[k])) {
        continue;
      }
      const Eigen::Index length = column + 1;
      const auto times = [&](Eigen::Index j) { return inverse[j] * rows(j, column); };
      Line sum(line, length);
      sum.setZero();
      Eigen::Index j = k;
      for (; j + 4 <= size_; j += 4) {
        const Real four[] = {times(j), times(j + 1), times(j + 2), times(j + 3)};
        add_four_rows(four, &rows(j, 0), rows.cols(), length, line);
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
  static constexpr Eigen::Index kByTiles = 64;  // rows: from here on tiles pay
  // Rows: from here on solutions are found along rows. Fewer have little to gain, and their last
  // digits would be others.
  static constexpr Eigen::Index kByRows = 24;

  cholesky::Parts parts() const { return {memory_, stride_, size_}; }

  using Line = Eigen::Map<Eigen::Array<Real, Eigen::Dynamic, 1>>;
  using ConstLine = Eigen::Map<const Eigen::Array<Real, Eigen::Dynamic, 1>>;

  Real* factor(Eigen::Index row) { return memory_ + row * stride_; }
  const Real* factor(Eigen::Index row) const { return memory_ + row * stride_; }
  Real* pivot() { return factor(stride_); }
  const Real* pivot() const { return factor(stride_); }
  Real* inverse_pivot() { return factor(stride_ + 1); }
  const Real* inverse_pivot() const { return factor(stride_ + 1); }

  // Unit lower triangular factor, pivots, their inverses, and a few rows times the pivots.
  Real* const memory_;
  const Eigen::Index stride_;
  Eigen::Index size_;
};

using SemidefiniteCholesky = BasicSemidefiniteCholesky<double>;

}  // namespace kpm
