// Variance without cancellation.
#pragma once

#include <algorithm>
#include <cmath>

#include "numerics/dense.hpp"

namespace kpm {

/// The variance of value(i) / unit under weight(i), which add up to one. Squares are taken after
/// the division, and deviations from the likeliest value: one of weight 1e-300 counts, rounding of
/// the others does not.
template <class Weight, class Value>
double variance_of(Eigen::Index count, Weight&& weight, Value&& value, double unit) {
  double most = 0.0;
  double centre = 0.0;
  for (Eigen::Index i = 0; i < count; ++i) {
    const double mass = weight(i);
    centre = mass > most ? value(i) : centre;
    most = std::max(most, mass);
  }
  double mean = 0.0;
  for (Eigen::Index i = 0; i < count; ++i) {
    mean += weight(i) * (value(i) - centre);
  }
  double sum = 0.0;
  for (Eigen::Index i = 0; i < count; ++i) {
    const double deviation = (value(i) - centre - mean) / unit;
    sum += weight(i) * deviation * deviation;
  }
  return sum;
}

}  // namespace kpm
