// ln(1 + x), two at a time.
#pragma once

#include <cmath>

#include "numerics/pair.hpp"

namespace kpm {

constexpr double kLog1pSeries = 0.25;  ///< up to here, of x / (2 + x), the series holds to rounding

/// 2 artanh(s) for |s| <= kLog1pSeries, which is ln(1 + x) of s = x / (2 + x).
template <class Number>
EIGEN_ALWAYS_INLINE Number log1p_series(const Number& s) {
  const Number z = (s * s).min(kLog1pSeries * kLog1pSeries);
  const Number square = z * z;
  // Two halves side by side, as in expm1_series().
  const Number odd =
      1.0 / 3 +
      square *
          (1.0 / 7 +
           square * (1.0 / 11 + square * (1.0 / 15 + square * (1.0 / 19 + square * (1.0 / 23)))));
  const Number even =
      1.0 / 5 +
      square *
          (1.0 / 9 +
           square * (1.0 / 13 + square * (1.0 / 17 + square * (1.0 / 21 + square * (1.0 / 25)))));
  return 2.0 * s * (1.0 + z * (odd + z * even));
}

/// Of each pair the one or the other, by the sign of the first.
inline Pair where_positive(const Pair& sign, const Pair& one, const Pair& other) {
  return {sign[0] > 0.0 ? one[0] : other[0], sign[1] > 0.0 ? one[1] : other[1]};
}

/// ln(1 + x) for x > -1. It is 2 artanh(x / (2 + x)); where that is too long a series, the
/// logarithm of the rounded sum and what rounding left out.
inline Pair log1p_of(const Pair& x) {
  const Pair s = x / (2.0 + x);
  Pair value = log1p_series<Pair>(s);
  if (!(std::abs(s[0]) <= kLog1pSeries && std::abs(s[1]) <= kLog1pSeries)) {
    const Pair sum = 1.0 + x;
    const Pair far = sum.log() + (x - (sum - 1.0)) / sum;
    for (int lane = 0; lane < 2; ++lane) {  // neither depends on the other
      value[lane] = std::abs(s[lane]) > kLog1pSeries ? far[lane] : value[lane];
    }
  }
  return value;
}

}  // namespace kpm
