// The array types of the core, and kernels for sizes where a library's set-up costs more than the
// work.
#pragma once

#include <cmath>

#include "numerics/dense_storage.hpp"

namespace kpm {

using Array = Eigen::ArrayXd;
using ArrayView = Eigen::Ref<const Array>;  ///< an array in memory owned elsewhere
using Vector = Eigen::VectorXd;
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Eigen cuts the sums of a product of matrices to fit the processor's caches, so that a machine
/// with others would get other bits. Everywhere they are cut as for these: a common server's.
constexpr int kCaches[] = {48 << 10, 1 << 20, 8 << 20};
inline bool cut_products() noexcept {
  Eigen::setCpuCacheSizes(kCaches[0], kCaches[1], kCaches[2]);
  return true;
}
inline const bool products_are_cut = cut_products();

/// Even and odd products apart: two short chains of additions instead of one long one.
inline double dot(const double* a, const double* b, Eigen::Index count) {
  Eigen::Array2d sum(0.0, 0.0);
  Eigen::Index i = 0;
  for (; i + 1 < count; i += 2) {
    sum += Eigen::Map<const Eigen::Array2d>(a + i) * Eigen::Map<const Eigen::Array2d>(b + i);
  }
  return i < count ? sum[0] + a[i] * b[i] + sum[1] : sum[0] + sum[1];
}

/// sums[r] += rows[r][i] x(i) for each of four rows: in the order of the entries, as if each row
/// had a loop of its own, but no row's additions wait for another's.
template <class Entries>
void add_in_order(const double* rows, Eigen::Index stride, Eigen::Index count, Entries&& x,
                  double* sums) {
  const double* const second = rows + stride;
  const double* const third = second + stride;
  const double* const fourth = third + stride;
  double sum0 = sums[0], sum1 = sums[1], sum2 = sums[2], sum3 = sums[3];
  for (Eigen::Index i = 0; i < count; ++i) {
    const double entry = x(i);
    sum0 += rows[i] * entry;
    sum1 += second[i] * entry;
    sum2 += third[i] * entry;
    sum3 += fourth[i] * entry;
  }
  sums[0] = sum0, sums[1] = sum1, sums[2] = sum2, sums[3] = sum3;
}

/// The same for any number of rows.
template <class Entries>
void add_in_order(const Matrix& rows, Entries&& x, double* sums) {
  Eigen::Index k = 0;
  for (; k + 4 <= rows.rows(); k += 4) {
    add_in_order(&rows(k, 0), rows.cols(), rows.cols(), x, sums + k);
  }
  for (; k < rows.rows(); ++k) {
    for (Eigen::Index i = 0; i < rows.cols(); ++i) {
      sums[k] += rows(k, i) * x(i);
    }
  }
}

}  // namespace kpm
