// The array types of the core, and kernels for sizes where a library's set-up costs more than the
// work.
#pragma once

#include <Eigen/Core>
#include <cmath>

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
    for (Eigen::Index l = 0; l <= k; ++l) {
      const double* const b = &rows(l, 0);
      matrix(k, l) += dot(a, b, rows.cols());
    }
  }
}

}  // namespace kpm
