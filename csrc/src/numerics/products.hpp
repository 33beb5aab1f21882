// Products of a matrix and an array, for sizes where a library's set-up costs more than the work.
#pragma once

#include <algorithm>
#include <array>

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
  const Eigen::Index n = rows.cols();
  Eigen::Index k = 0;
  for (; k + 4 <= rows.rows(); k += 4) {
    const std::array<double, 4> products = dot_rows(rows.data() + k * n, n, x.data(), n);
    std::copy(products.begin(), products.end(), &out[k]);
  }
  for (; k < rows.rows(); ++k) {
    out[k] = dot(rows.data() + k * n, x.data(), n);
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
  const auto row = [&](Eigen::Index k) {
    return Eigen::Map<const Array>(rows.data() + k * rows.cols(), rows.cols());
  };
  // Four rows at a time, added one after the other all the same.
  Eigen::Index k = 0;
  for (; k + 4 <= rows.rows(); k += 4) {
    out =
        out + x[k] * row(k) + x[k + 1] * row(k + 1) + x[k + 2] * row(k + 2) + x[k + 3] * row(k + 3);
  }
  for (; k < rows.rows(); ++k) {
    out += x[k] * row(k);
  }
}

}  // namespace kpm
