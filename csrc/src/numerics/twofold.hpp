// Numbers of twice a double's digits.
#pragma once

#include <cmath>

#include "numerics/dense.hpp"

namespace kpm {

/// An unevaluated sum high + low with |low| at most half a unit in the last place of high: some 32
/// digits over a double's range (Dekker 1971; Knuth for the sum). A dozen to thirty operations
/// each, so for small systems that have used up a double's digits. Needs arithmetic that rounds
/// each operation (no contraction, no reassociation), which the build asks for.
class Twofold {
 public:
  constexpr Twofold() = default;
  constexpr Twofold(double value) : high_(value) {}  // NOLINT: a double is one, exactly

  explicit operator double() const { return high_; }

  friend Twofold operator+(const Twofold& a, const Twofold& b) {
    const Twofold high = sum(a.high_, b.high_);
    const Twofold low = sum(a.low_, b.low_);
    const Twofold once = ordered_sum(high.high_, high.low_ + low.high_);
    return ordered_sum(once.high_, once.low_ + low.low_);
  }
  friend Twofold operator-(const Twofold& a) { return {-a.high_, -a.low_}; }
  friend Twofold operator-(const Twofold& a, const Twofold& b) { return a + -b; }
  friend Twofold operator*(const Twofold& a, const Twofold& b) {
    const Twofold high = product(a.high_, b.high_);
    return ordered_sum(high.high_, high.low_ + (a.high_ * b.low_ + a.low_ * b.high_));
  }
  friend Twofold operator*(const Twofold& a, double b) {
    const Twofold high = product(a.high_, b);
    return ordered_sum(high.high_, high.low_ + a.low_ * b);
  }
  friend Twofold operator*(double a, const Twofold& b) { return b * a; }
  friend Twofold operator/(const Twofold& a, const Twofold& b) {
    const double first = a.high_ / b.high_;
    const Twofold rest = a - b * first;
    const double second = rest.high_ / b.high_;
    const Twofold end = rest - b * second;
    return ordered_sum(first, second) + Twofold(end.high_ / b.high_);
  }
  Twofold& operator+=(const Twofold& b) { return *this = *this + b; }
  Twofold& operator-=(const Twofold& b) { return *this = *this - b; }
  Twofold& operator*=(const Twofold& b) { return *this = *this * b; }
  Twofold& operator/=(const Twofold& b) { return *this = *this / b; }

  friend bool operator==(const Twofold& a, const Twofold& b) {
    return a.high_ == b.high_ && a.low_ == b.low_;
  }
  friend bool operator!=(const Twofold& a, const Twofold& b) { return !(a == b); }
  friend bool operator<(const Twofold& a, const Twofold& b) {
    return a.high_ < b.high_ || (a.high_ == b.high_ && a.low_ < b.low_);
  }
  friend bool operator>(const Twofold& a, const Twofold& b) { return b < a; }
  friend bool operator<=(const Twofold& a, const Twofold& b) {
    return a.high_ < b.high_ || (a.high_ == b.high_ && a.low_ <= b.low_);
  }
  friend bool operator>=(const Twofold& a, const Twofold& b) { return b <= a; }
  friend Twofold abs(const Twofold& a) { return a.high_ < 0.0 ? -a : a; }

 private:
  constexpr Twofold(double high, double low) : high_(high), low_(low) {}

  /// a + b, exactly.
  static Twofold sum(double a, double b) {
    const double high = a + b;
    const double b_part = high - a;
    return {high, std::isfinite(high) ? (a - (high - b_part)) + (b - b_part) : 0.0};
  }
  /// The same for |a| >= |b|.
  static Twofold ordered_sum(double a, double b) {
    const double high = a + b;
    return {high, std::isfinite(high) ? b - (high - a) : 0.0};
  }
  /// a times b, exactly, unless a digit lies beyond the range of exponents.
  static Twofold product(double a, double b) {
    const double high = a * b;
    if (!(std::abs(a) < kSplittable && std::abs(b) < kSplittable)) {
      return high;
    }
    const double a_high = upper_half(a);
    const double b_high = upper_half(b);
    const double a_low = a - a_high;
    const double b_low = b - b_high;
    return {high, ((a_high * b_high - high) + a_high * b_low + a_low * b_high) + a_low * b_low};
  }
  static double upper_half(double a) {
    const double shifted = 134217729.0 * a;  // 2^27 + 1
    return shifted - (shifted - a);
  }

  static constexpr double kSplittable = 1e150;

  double high_ = 0.0;
  double low_ = 0.0;
};

inline Twofold dot(const double* a, const Twofold* b, Eigen::Index count) {
  Twofold sum;
  for (Eigen::Index i = 0; i < count; ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

inline Twofold dot(const Twofold* a, const Twofold* b, Eigen::Index count) {
  Twofold sum;
  for (Eigen::Index i = 0; i < count; ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

}  // namespace kpm
