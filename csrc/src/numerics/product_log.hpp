// The product logarithm (Lambert's W), to a digit or two.
#pragma once

#include <cmath>

namespace kpm {

/// The u > 0 with u e^u = e^x, to a digit or two: enough for a start.
inline double product_log(double x) {
  const double u = x > 1.0 ? x - std::log(x) : 1.0 / (1.0 + std::exp(-x));
  return u * (1.0 + x - std::log(u)) / (1.0 + u);
}

}  // namespace kpm
