// The array types of the core, and kernels for sizes where a library's set-up costs more than the
// work.
#pragma once

#include <Eigen/Core>
#include <array>
#include <cmath>
#include <cstddef>

namespace kpm {

using Array = Eigen::ArrayXd;
using ArrayView = Eigen::Ref<const Array>;  ///< an array in memory owned elsewhere
using Vector = Eigen::VectorXd;
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Even and odd products apart: two short chains of additions instead of one long one.
inline double dot(const double* a, const double* b, Eigen::Index count) {
  Eigen::Array2d sum(0.0, 0.0);
  Eigen::Index i = 0;
  for (; i + 1 < count; i += 2) {
    sum += Eigen::Map<const Eigen::Array2d>(a + i) * Eigen::Map<const Eigen::Array2d>(b + i);
  }
  return i < count ? sum[0] + a[i] * b[i] + sum[1] : sum[0] + sum[1];
}

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

/// The lower triangle of `matrix` plus rows rows'. The library's blocked kernel pays only from a
/// certain size; below it, its set-up costs several times the work.
template <class Rows, class Square>
void add_gram(const Rows& rows, Square& matrix) {
  constexpr Eigen::Index kBlocked = 1500;
  if (rows.size() > kBlocked) {
    matrix.template selfadjointView<Eigen::Lower>().rankUpdate(rows);
    return;
  }
  for (Eigen::Index k = 0; k < rows.rows(); ++k) {
    const double* const a = &rows(k, 0);
    Eigen::Index l = 0;
    for (; l + 4 <= k + 1; l += 4) {
      const std::array<double, 4> products = dot_rows(&rows(l, 0), rows.cols(), a, rows.cols());
      for (Eigen::Index r = 0; r < 4; ++r) {
        matrix(k, l + r) += products[static_cast<std::size_t>(r)];
      }
    }
    for (; l <= k; ++l) {
      matrix(k, l) += dot(a, &rows(l, 0), rows.cols());
    }
  }
}

}  // namespace kpm
