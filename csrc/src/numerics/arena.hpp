// The working memory of a solver in one block.
#pragma once

#include <vector>

#include "numerics/dense.hpp"

namespace kpm {

/// An array or a matrix in an Arena.
using Slice = Eigen::Map<Array>;
using MatrixSlice = Eigen::Map<Matrix>;

/// Hands out zeroed slices of one allocation. On a tiny cell dozens of small allocations would
/// take as long as the solution.
class Arena {
 public:
  explicit Arena(Eigen::Index size) : block_(static_cast<std::size_t>(size), 0.0) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  double* take(Eigen::Index size) {
    double* const slice = block_.data() + used_;
    used_ += size;
    eigen_assert(used_ <= static_cast<Eigen::Index>(block_.size()));
    return slice;
  }
  Slice array(Eigen::Index size) { return {take(size), size}; }
  MatrixSlice matrix(Eigen::Index rows, Eigen::Index columns) {
    return {take(rows * columns), rows, columns};
  }

 private:
  std::vector<double> block_;
  Eigen::Index used_ = 0;
};

}  // namespace kpm
