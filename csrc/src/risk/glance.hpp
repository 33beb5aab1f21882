// The first look at a claim's payoffs.
#pragma once

#include <algorithm>

#include "numerics/dense.hpp"

namespace kpm {

/// Whether the payoffs of the first few states, which tell most claims of many payoffs, have others
/// than these two.
inline bool shows_others(const double* payoff, Eigen::Index states, double one, double other) {
  constexpr Eigen::Index kGlance = 8;
  return std::any_of(payoff, payoff + std::min(states, kGlance),
                     [&](double v) { return v != one && v != other; });
}

}  // namespace kpm
