// The root of a given relative entropy between two-point distributions, for several claims at once.
#pragma once

#include "numerics/dense.hpp"
#include "numerics/log1p.hpp"

namespace kpm {

/// Where to begin, for one s: the root over that of a bound, as a polynomial in q through the roots
/// at a few points (Newton's form). It leaves the first step to be the last for most q inside.
struct RootStart {
  static constexpr int kPoints = 7;

  double from = 2.0, to = 1.0;  ///< the q it is for: none
  double at[kPoints] = {};
  double of[kPoints] = {};
};

/// d with KL = s^2 / 2 at the probabilities q + d and r - d, r = 1 - q, for any array of numbers.
///
/// It starts from KL above its lower bound d^2 / (2 (q + d/3) (r - d/3)) (Bernstein), a quadratic
/// equation, or from a multiple of that. A step is the inverse series of h = sqrt(2 KL), which is
/// nearly linear in d, as far as the fourth power of the miss s - h: with x' = dx/dh, p = x'^2 KL''
/// and w the miss over h,
///   d += (s - h) x' (1 + w/2 (1 - p) + w^2/6 T3 + w^3/24 T4),
/// or Newton's where the miss is large: KL is convex in d. The size of the miss at the point that a
/// step starts from bounds what it leaves.
template <class Number>
class DivergenceRoot {
 public:
  DivergenceRoot(double s, const RootStart& start, const Number& q, const Number& r)
      : s_(s), q_(q), r_(r), inverse_(q), d_(q) {
    const double spread = 1.0 + s * s / 9.0;
    const Number variance = q * r;
    const Number linear = s / 3.0 * (r - q);
    const Number square = linear * linear + 4.0 * spread * variance;
    const Number sum = linear.abs() + square.sqrt();
    const Number both = 1.0 / (variance * sum);
    inverse_ = sum * both;
    // From whichever form of the root subtracts nothing.
    const Number rare = s / (2.0 * spread) * sum;
    const Number likely = 2.0 * s * variance * variance * both;
    d_ = where_positive(linear, rare, likely);
    Number ratio = q * 0.0 + start.of[RootStart::kPoints - 1];
    for (int k = RootStart::kPoints - 2; k >= 0; --k) {
      ratio = ratio * (q - start.at[k]) + start.of[k];
    }
    d_ = where_positive((q - start.from) * (start.to - q), d_ * ratio, d_);
  }

  const Number& d() const { return d_; }

  /// Before the first step: a bound may be beyond certainty.
  void stay_inside() { d_ = d_.min((1.0 - kNear) * r_); }
  /// A step, in place of d. Positive where it ends at the root, to rounding.
  Number step() {
    const Number x = q_ + d_;
    const Number y = r_ - d_;
    // ln(1 + d/q) and ln(1 - d/r), whose series divide by a sum each.
    const Number gain = d_ * r_ * inverse_;
    const Number loss = -1.0 * d_ * q_ * inverse_;
    Number exponent = gain;
    Number of_loss = loss;
    const Number up = exponent_taken_out(gain, exponent);
    const Number down = exponent_taken_out(loss, of_loss);
    const Number sum = 2.0 + up;
    const Number other = 2.0 + down;
    const Number both = 1.0 / (sum * other);
    const Number rise = kLogTwo * exponent + log_of_near_one<Number>(up * other * both);
    const Number fall = kLogTwo * of_loss + log_of_near_one<Number>(down * sum * both);
    const Number twice = 2.0 * (x * rise + y * fall);
    const Number slope = rise - fall;
    const Number h = twice.sqrt();
    const Number variance = x * y;
    const Number missing = s_ * s_ - twice;
    const Number product = variance * slope;
    const Number above = h * (s_ + h);
    const Number all = 1.0 / (product * above);
    const Number inverse = variance * above * all;  // of the slope
    const Number curvature = slope * above * all;
    const Number w = missing * product * all;
    const Number first = twice * inverse;  // h x'
    const Number size = w * first;
    const Number z = curvature * first;
    const Number p = z * inverse;
    const Number lack = 1.0 - p;
    const Number skewed = (x - y) * z;
    const Number third = -1.0 * p * (skewed + 3.0 * lack);
    const Number fourth =
        -1.0 * p *
        (2.0 * z * z - 6.0 * p * twice + lack * (6.0 * skewed + 3.0 * lack) + 4.0 * third);
    const Number far = 0.5 * missing * inverse;
    const Number near =
        size * (1.0 + w * (0.5 * lack + w * (1.0 / 6.0 * third + w * (1.0 / 24.0) * fourth)));
    const Number room = kFar - w.abs();
    const Number change = where_positive(room, near, far);
    const Number least = 0.125 * d_;
    const Number most = r_ - 0.125 * y;
    d_ = (d_ + change).max(least).min(most);
    return (kNear * x.min(y) - size.abs()).min(room);
  }

 private:
  static constexpr double kLogTwo = 0.6931471805599453;
  static constexpr double kNear = 2e-3;  // a miss of which four terms leave rounding
  static constexpr double kFar = 0.3;    // ... and one of which they leave too much

  const double s_;
  const Number q_, r_;
  Number inverse_;  // of q r
  Number d_;
};

}  // namespace kpm
