// Variance without cancellation.
#pragma once

#include <algorithm>
#include <cmath>

#include "numerics/dense.hpp"

namespace kpm {

/// The variance of value / unit under a weight that adds up to one, over records of kLanes each.
/// Squares are taken after the division, and deviations from the likeliest value: one of weight
/// 1e-300 counts, rounding of the others does not.
template <int kLanes, class Records, class Weight, class Value>
double variance_of(const Records& records, Weight&& weight, Value&& value, double unit) {
  using Lanes = Eigen::Array<double, kLanes, 1>;
  double most = 0.0;
  double centre = 0.0;
  for (const auto& record : records) {
    const Lanes mass = weight(record);
    const Lanes x = value(record);
    for (int lane = 0; lane < kLanes; ++lane) {
      centre = mass[lane] > most ? x[lane] : centre;
      most = std::max(most, mass[lane]);
    }
  }
  Lanes sum = Lanes::Zero();
  for (const auto& record : records) {
    sum += weight(record) * (value(record) - centre);
  }
  const double mean = sum.sum();
  sum.setZero();
  for (const auto& record : records) {
    const Lanes deviation = (value(record) - (centre + mean)) / unit;
    sum += weight(record) * deviation * deviation;
  }
  return sum.sum();
}

}  // namespace kpm
