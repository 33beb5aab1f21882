// Weights, the same on every machine, whose sums are unlikely to cancel or to coincide.
#pragma once

#include <cmath>

namespace kpm {

/// In [0, 1): the multiples of the golden ratio spread over the unit interval.
inline double golden_weight(double index) {
  constexpr double kGolden = 0.6180339887498949;
  const double multiple = kGolden * index;
  return multiple - std::floor(multiple);
}

}  // namespace kpm
