// Where the relative entropy of two outcomes is what it may be, several claims at a time.
#pragma once

#include "numerics/dense.hpp"
#include "numerics/log1p.hpp"

namespace kpm {

/// d with KL = s^2 / 2 at the probabilities q + d and r - d, r = 1 - q, for any array of numbers.
///
/// It starts from KL above its lower bound d^2 / (2 (q + d/3) (r - d/3)) (Bernstein), a quadratic
/// equation. KL is convex in d: Newton's method from above the root stays above. Once its step is
/// short the root is the inverse series of h = sqrt(2 KL), which is nearly linear in d, as far as
/// the fourth power of the miss s - h: with x' = dx/dh, p = x'^2 KL'' and w the miss over h,
///   d += (s - h) x' (1 + w/2 (1 - p) + w^2/6 T3 + w^3/24 T4).
/// The size of the miss at the point it starts from bounds what it leaves.
template <class Number>
class DivergenceRoot {
 public:
  DivergenceRoot(double s, const Number& q, const Number& r) : s_(s), q_(q), r_(r), d_(q) {
    const Number variance = q * r;
    const Number lean = s / 3.0 * (r - q);
    const double spread = 1.0 + s * s / 9.0;
    const Number square = lean * lean + 4.0 * spread * variance;
    const Number sum = lean.abs() + square.sqrt();
    // From whichever form of the root subtracts nothing.
    const Number rare = s / (2.0 * spread) * sum;
    const Number likely = 2.0 * s * variance / sum;
    const Number most = (1.0 - kNear) * r;
    d_ = where_positive(lean, rare, likely).min(most);
  }

  const Number& d() const { return d_; }
  /// ln(1 + x) of these is to be set before each step, as rise and fall.
  Number gain() const { return d_ / q_; }
  Number loss() const { return -1.0 * d_ / r_; }

  /// What the step from here is, and what it must not be above for finish().
  void measure(const Number& rise, const Number& fall) {
    x_ = q_ + d_;
    y_ = r_ - d_;
    divergence_ = x_ * rise + y_ * fall;
    slope_ = rise - fall;
    const Number twice = 2.0 * divergence_;
    h_ = twice.sqrt();
    first_ = h_ / slope_;
    miss_ = (s_ * s_ - twice) / (s_ + h_);
    step_ = miss_ * first_;
  }
  Number size() const { return step_.abs(); }
  Number allowed() const { return kNear * x_.min(y_); }

  void finish() {
    const Number curvature = 1.0 / (x_ * y_);
    const Number w = miss_ / h_;
    const Number bend = curvature * first_;
    const Number p = bend * first_;
    const Number z = bend * h_;
    const Number lack = 1.0 - p;
    const Number skewed = (x_ - y_) * z;
    const Number third = -1.0 * p * (skewed + 3.0 * lack);
    const Number fourth =
        -1.0 * p *
        (2.0 * z * z - 12.0 * p * divergence_ + lack * (6.0 * skewed + 3.0 * lack) + 4.0 * third);
    d_ = d_ + step_ * (1.0 + w * (0.5 * lack + w * (third / 6.0 + w * fourth / 24.0)));
  }

  void newton() {
    const Number step = (divergence_ - 0.5 * s_ * s_) / slope_;
    const Number least = 0.125 * d_;
    const Number most = r_ - 0.125 * y_;
    d_ = (d_ - step).max(least).min(most);
  }

 private:
  static constexpr double kNear = 2e-3;  // a miss of which four terms leave rounding

  const double s_;
  const Number q_, r_;
  Number d_;
  Number x_ = q_, y_ = q_, divergence_ = q_, slope_ = q_, h_ = q_;
  Number first_ = q_, miss_ = q_, step_ = q_;
};

}  // namespace kpm
