// Products of a matrix and an array, for sizes where a library's set-up costs more than the work.
#pragma once

#include "numerics/dense.hpp"

namespace kpm {

namespace products {

constexpr Eigen::Index kBlocked = 1500;  // entries: from here on the library's kernels pay

}  // namespace products

/// out = rows x, of a row-major matrix; `out` is neither.
template <class Rows, class In, class Out>
void multiply(const Rows& rows, const In& x, Out& out) {
  if (rows.size() > products::kBlocked) {
    out.matrix().noalias() = rows * x.matrix();
    return;
  }
  for (Eigen::Index k = 0; k < rows.rows(); ++k) {
    out[k] = dot(rows.data() + k * rows.cols(), x.data(), rows.cols());
  }
}

/// out = rows' x, in the same way.
template <class Rows, class In, class Out>
void multiply_transposed(const Rows& rows, const In& x, Out& out) {
  if (rows.size() > products::kBlocked) {
    out.matrix().noalias() = rows.transpose() * x.matrix();
    return;
  }
  out.setZero();
  for (Eigen::Index k = 0; k < rows.rows(); ++k) {
    out += x[k] * Eigen::Map<const Array>(rows.data() + k * rows.cols(), rows.cols());
  }
}

}  // namespace kpm
