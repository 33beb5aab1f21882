// A quick test of whether a claim has more than two payoffs.
#pragma once

#include <algorithm>

#include "numerics/dense.hpp"

namespace kpm {

/// Whether the first few states, which are enough for most claims of many payoffs, have a payoff
/// other than these two.
inline bool shows_third_payoff(const double* payoff, Eigen::Index states, double one,
                               double other) {
  constexpr Eigen::Index kFirst = 8;
  return std::any_of(payoff, payoff + std::min(states, kFirst),
                     [&](double v) { return v != one && v != other; });
}

}  // namespace kpm
