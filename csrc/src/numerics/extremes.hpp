// The least and the greatest of many numbers.
#pragma once

#include "numerics/dense.hpp"

namespace kpm {

struct Extremes {
  double least;
  double greatest;
};

/// Of `count` numbers, at least one. Both are NaN where any number is infinite or NaN.
Extremes extremes_of(const double* numbers, Eigen::Index count);

}  // namespace kpm
