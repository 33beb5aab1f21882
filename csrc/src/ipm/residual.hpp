// The residual of a maker's stationarity conditions, in money.
#pragma once

#include <algorithm>
#include <cmath>

#include "numerics/pair.hpp"

namespace kpm {

/// What a violated stationarity condition costs: linear where the probability may vanish, but
/// quadratic near a maximum of the given curvature.
inline double money(double residual, double curvature) {
  const double size = std::abs(residual);
  return size * std::min(curvature * size, 1.0);
}
inline Pair money(const Pair& residual, double curvature) {
  const Pair size = residual.abs();
  return size * (curvature * size).min(1.0);
}

constexpr double kBacktrack = 0.7;  ///< a shortened step's share of the one before

/// Whether a step lowers the nonlinear residual from `before` by a fair share of what the linear
/// model promises, or `residual` is small next to the products `tau` anyway: for a step of which
/// `descent` is what is left.
inline bool is_accurate(double residual, double descent, double before, double step, double tau) {
  constexpr double kDecrease = 0.5;
  constexpr double kResidualShare = 10.0;
  return residual <= kResidualShare * tau || descent <= (1.0 - kDecrease * step) * before;
}

}  // namespace kpm
