// How close losses must be for their states to tie for the worst.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "kpm/kpm.hpp"
#include "numerics/dense.hpp"

namespace kpm {

/// Losses this near to the largest count as equal to it: positions reached by different trades
/// agree only up to the rounding of what was traded.
inline double tie_width(const ArrayView& losses) {
  constexpr double kRounding = 32.0 * std::numeric_limits<double>::epsilon();
  constexpr double kNothing = 1e-250;  // money: powers of it are one to every digit
  return kRounding * std::max(std::abs(losses.maxCoeff()), std::abs(losses.minCoeff())) + kNothing;
}

}  // namespace kpm
