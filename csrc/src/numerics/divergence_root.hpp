// Where the relative entropy of two outcomes is what it may be, several claims at a time.
#pragma once

#include "numerics/dense.hpp"
#include "numerics/log1p.hpp"

namespace kpm {

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
  DivergenceRoot(double s, const Number& q, const Number& r)
      : s_(s), q_(q), r_(r), inverse_(1.0 / (q * r)), d_(q) {
    const double spread = 1.0 + s * s / 9.0;
    const Number variance = q * r;
    const Number lean = s / 3.0 * (r - q);
    const Number square = lean * lean + 4.0 * spread * variance;
    const Number sum = lean.abs() + square.sqrt();
    // From whichever form of the root subtracts nothing.
    const Number rare = s / (2.0 * spread) * sum;
    const Number likely = 2.0 * s * variance / sum;
    d_ = where_positive(lean, rare, likely);
  }

  const Number& d() const { return d_; }
  /// Begin at a multiple of the bound's root.
  void start_at(const Number& ratio) { d_ = d_ * ratio; }
  void start() { d_ = d_.min((1.0 - kNear) * r_); }

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
    const Number rise = kLogTwo * exponent + log_of_near_one(up * other * both);
    const Number fall = kLogTwo * of_loss + log_of_near_one(down * sum * both);
    const Number twice = 2.0 * (x * rise + y * fall);
    const Number slope = rise - fall;
    const Number h = twice.sqrt();
    const Number variance = x * y;
    const Number all = 1.0 / (variance * slope);
    const Number inverse = variance * all;  // of the slope
    const Number curvature = slope * all;
    const Number missing = s_ * s_ - twice;
    const Number w = missing / (h * (s_ + h));
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
    const Number change = where_positive(kFar - w.abs(), near, far);
    const Number least = 0.125 * d_;
    const Number most = r_ - 0.125 * y;
    d_ = (d_ + change).max(least).min(most);
    return kNear * x.min(y) - size.abs();
  }

 private:
  static constexpr double kLogTwo = 0.6931471805599453;
  static constexpr double kNear = 2e-3;  // a miss of which four terms leave rounding
  static constexpr double kFar = 0.3;    // ... and one of which they leave too much

  const double s_;
  const Number q_, r_, inverse_;
  Number d_;
};

}  // namespace kpm
