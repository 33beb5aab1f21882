// Relative entropy without cancellation.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "numerics/dense.hpp"

namespace kpm {

/// e^m m - e^m + 1 >= 0, the integrand of KL(q e^m | q) against q, near m = 0: about m^2 / 2, where
/// the plain formula has no digits left.
inline double entropy_series(double m) {
  constexpr double c3 = 1.0 / 3;
  constexpr double c4 = 1.0 / 8;
  constexpr double c5 = 1.0 / 30;
  constexpr double c6 = 1.0 / 144;
  constexpr double c7 = 1.0 / 840;
  constexpr double c8 = 1.0 / 5760;
  return m * m * (0.5 + m * (c3 + m * (c4 + m * (c5 + m * (c6 + m * (c7 + m * c8))))));
}

constexpr double kLargestExponent = 745.0;  ///< e to minus this is zero
constexpr double kEntropySeries = 0.03;     ///< up to here the series holds to rounding

/// e^u and e^u - 1, from one call of a transcendental function.
struct Power {
  double value;
  double excess;
};

inline Power power_of(double u) {
  if (u > -0.5) {
    const double excess = std::expm1(u);
    return {1.0 + excess, excess};
  }
  const double value = std::exp(u);
  return {value, value - 1.0};
}

/// The sum that normalises p_i = q_i e^{u_i}, u <= 0. Near p = q the sum of the excesses has the
/// digits (for a tiny ball p stays within 1e-12 of q and must not be rounded), far from it the
/// sum of the values.
class TiltMass {
 public:
  void add(double q, Power power) { add(q * power.value, q * power.excess); }
  /// Of several states: sums of q e^u and of q (e^u - 1).
  void add(double value, double excess) {
    value_ += value;
    excess_ += excess;
  }
  double log() const { return is_close() ? std::log1p(excess_) : std::log(value_); }
  /// From e^u and e^u - 1 to p / q and p / q - 1.
  Power normalised(Power power) const {
    if (is_close()) {
      const double inverse = 1.0 / (1.0 + excess_);
      return {power.value * inverse, (power.excess - excess_) * inverse};
    }
    const double ratio = power.value / value_;
    return {ratio, ratio - 1.0};
  }

 private:
  bool is_close() const { return excess_ > -0.5; }
  double excess_ = 0.0;
  double value_ = 0.0;
};

/// The integrand of KL(q e^m | q) for known powers of m.
inline double entropy_integrand(double m, Power power) {
  return std::abs(m) < kEntropySeries ? entropy_series(m) : power.value * m - power.excess;
}

/// KL(p | q) for distributions given by their probabilities, zeros of p included.
inline double relative_entropy_of(const ArrayView& p, const ArrayView& q) {
  double sum = 0.0;
  for (Eigen::Index i = 0; i < q.size(); ++i) {
    if (q[i] == 0.0) {
      sum += p[i] > 0.0 ? std::numeric_limits<double>::infinity() : 0.0;
      continue;
    }
    const double change = (p[i] - q[i]) / q[i];
    if (change > std::numeric_limits<double>::max()) {  // q is hardly a number
      sum += p[i] * (std::log(p[i]) - std::log(q[i])) - p[i];
      continue;
    }
    const double m = change > -1.0 ? std::log1p(change) : -kLargestExponent;
    sum += q[i] * (std::abs(m) < kEntropySeries ? entropy_series(m) : (1.0 + change) * m - change);
  }
  return sum;
}

/// expm1(a x) / a, which is x itself as a -> 0.
inline double scaled_expm1(double a, double x) { return a > 0.0 ? std::expm1(a * x) / a : x; }

/// log1p(a x) / a, its inverse.
inline double scaled_log1p(double a, double x) { return a > 0.0 ? std::log1p(a * x) / a : x; }

}  // namespace kpm
