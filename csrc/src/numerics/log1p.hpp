// ln(1 + x), two at a time.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

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

/// ln((1 + s) / (1 - s)) for numbers whose quotient is between 1/sqrt(2) and sqrt(2): the
/// polynomial takes the series' value at Chebyshev's points, and is off by 5e-18 of it.
template <class Number>
EIGEN_ALWAYS_INLINE Number log_of_near_one(const Number& s) {
  const Number z = s * s;
  const Number square = z * z;
  const Number even = 0x1.5555555555558p-2 +
                      square * (0x1.2492492df148dp-3 +
                                square * (0x1.7462b4ab2ef6bp-4 + square * 0x1.2b584aae78a57p-4));
  const Number odd =
      0x1.99999999952e2p-3 + square * (0x1.c71c62e5800a1p-4 + square * 0x1.39fe606542ddep-4);
  return 2.0 * s * (1.0 + z * (even + z * odd));
}

// Of 1 + x = 2^k m with m between 1/sqrt(2) and sqrt(2), by the bits of doubles.
constexpr std::uint64_t kBitsOfRootHalf = 0x3fe6a09e667f3bcd;
constexpr std::uint64_t kBitsOfOne = 0x3ff0000000000000;
constexpr std::uint64_t kFractionBits = 0x000fffffffffffff;
constexpr int kFractionWidth = 52;
constexpr int kBiasOfExponent = 1023;

/// m - 1 and k, for x > -1; x itself where k = 0.
inline double exponent_taken_out(double x, double& k) {
  const double sum = 1.0 + x;
  std::uint64_t bits = 0;
  std::memcpy(&bits, &sum, sizeof bits);
  bits += kBitsOfOne - kBitsOfRootHalf;
  k = static_cast<double>(static_cast<int>(bits >> kFractionWidth) - kBiasOfExponent);
  bits = (bits & kFractionBits) + kBitsOfRootHalf;
  double m = 0.0;
  std::memcpy(&m, &bits, sizeof m);
  return k == 0.0 ? x : m - 1.0;
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
