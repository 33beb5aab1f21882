// How much more a state of almost no price may lose before its price is something.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "numerics/tolerances.hpp"
#include "risk/maker_function.hpp"

namespace kpm {

/// `more(i)` for each idle state, and to the worst loss at most.
template <class More>
Array bounded_room(const ArrayView& loss, const std::vector<int>& idle, More&& more) {
  const double worst = loss.maxCoeff();
  Array room(static_cast<Eigen::Index>(idle.size()));
  Eigen::Index at = 0;
  for (const int i : idle) {
    room[at++] = std::max(std::min(more(i), worst - loss[i]), 0.0);
  }
  return room;
}

/// Where g = p e^{a (loss - C)}.
inline Array tilted_room(const PricedLosses& priced, const std::vector<int>& idle, double a) {
  return bounded_room(priced.loss, idle, [&](int i) {
    return priced.cost + std::log(kIdleStatePrice / priced.p[i]) / a - priced.loss[i];
  });
}

/// Where g = constant / left. Less left in idle states leaves more where it counts, if the
/// logarithms of what is left add up to the same: `counting` is these states' share.
inline double logarithmic_room(double left, double g, double counting) {
  return left * (1.0 - std::pow(g / kIdleStatePrice, counting));
}

}  // namespace kpm
