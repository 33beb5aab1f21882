// When two states are worst alike.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "kpm/kpm.hpp"
#include "numerics/dense.hpp"

namespace kpm {

/// Losses this near to the largest are taken for it: positions that different trades lead to agree
/// up to rounding of what was traded.
inline double tie_width(const ArrayView& losses) {
  constexpr double kRounding = 32.0 * std::numeric_limits<double>::epsilon();
  constexpr double kNothing = 1e-250;  // money: powers of it are one to every digit
  return kRounding * std::max(std::abs(losses.maxCoeff()), std::abs(losses.minCoeff())) + kNothing;
}

}  // namespace kpm
