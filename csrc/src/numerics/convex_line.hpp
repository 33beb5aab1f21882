// The minimum of a convex function of one number.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

namespace kpm {

/// Tangents on either side of the minimum; where they meet is the next point and a bound from
/// below. Of a function that is linear in pieces a few steps find the minimum itself.
class ConvexLine {
 public:
  static constexpr double kNowhere = std::numeric_limits<double>::infinity();

  struct Tangent {
    double at = 0.0, value = kNowhere, slope = 0.0;
  };

  /// `step` is the first, and grows until the minimum lies between two points.
  ConvexLine(double start, double step) : next_(start), step_(step) {}

  double next() const { return next_; }
  const Tangent& low() const { return low_; }
  const Tangent& high() const { return high_; }
  const Tangent& best() const { return best_; }
  /// No value is less.
  double bound() const { return bound_; }

  /// The function at next(). Returns whether there is more to find.
  bool add(double value, double slope) {
    const Tangent here{next_, value, slope};
    if (!(best_.value <= value)) {
      best_ = here;
    }
    if (slope == 0.0 || !std::isfinite(value)) {
      bound_ = value;
      low_ = high_ = here;
      return false;
    }
    (slope < 0.0 ? low_ : high_) = here;
    if (low_.value == kNowhere || high_.value == kNowhere) {
      next_ += slope < 0.0 ? step_ : -step_;
      step_ *= kGrowth;
      return true;
    }
    const double width = high_.at - low_.at;
    const double meet =
        low_.at + (high_.value - low_.value - high_.slope * width) / (low_.slope - high_.slope);
    bound_ = low_.value + low_.slope * (meet - low_.at);
    next_ = std::clamp(meet, low_.at + kInside * width, high_.at - kInside * width);
    return low_.at < next_ && next_ < high_.at;
  }

 private:
  static constexpr double kGrowth = 4.0;
  static constexpr double kInside = 1e-3;  // of the width: a point next to an end tells nothing

  double next_, step_;
  double bound_ = -kNowhere;
  Tangent low_, high_, best_;
};

}  // namespace kpm
