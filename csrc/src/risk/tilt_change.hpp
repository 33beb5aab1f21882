// The change of a tilted worst case under a small change of the losses, to rounding of the change.
#pragma once

#include "numerics/dense.hpp"
#include "numerics/expm1.hpp"

namespace kpm {

/// E_p of psi, psi phi, psi^2, psi phi^2 and psi^2 phi, for TiltChange's phi and psi.
template <class Number>
struct PsiMoments {
  Number mean, covariance, square, phi_skew, psi_skew;

  /// The root of G to second order in the change: one step from the first-order root. `variance`
  /// and `third` are moments of phi, `t` the tilt before.
  Number second_order_root(double t, double variance, double third) const {
    const Number tau = -t * covariance / variance;
    const Number moved = t + tau;
    const Number centre = moved * mean;  // of m = tau phi + moved psi; phi has mean zero
    const Number second =
        tau * tau * variance + 2.0 * tau * moved * covariance + moved * moved * square;
    const Number skew = tau * tau * third + 2.0 * tau * moved * phi_skew + moved * moved * psi_skew;
    // KL = Var m / 2, and what m^2 / 2 adds to the first moment, E phi m. The covariance of m with
    // phi is of second order, too: the first-order root takes t for what it was.
    const Number first_moment = tau * variance + moved * covariance;
    const Number g =
        0.5 * (second - centre * centre) + t * (first_moment * (1.0 - centre) + 0.5 * skew);
    return tau - g / (moved * (variance + 2.0 * covariance));
  }
};

/// rho(L + d) - rho(L) from the worst case p at L, without the cancellation of a difference: a
/// quote for a millionth of the inventory has as many digits as one for all of it, and costs one
/// polynomial per state.
///
/// With u = e^{a L} up to a factor, phi = (u - 1) / a, p ~ q e^{t phi} and E = E_p u, the worst
/// case at L + d is p (1 + r) with
///   1 + r = e^{m} / E_p e^{m},   m = tau phi + (t + tau) psi,   psi = u expm1(a d) / a,
/// and tau such that it stays on the sphere: G = KL(p(1+r)|p) + t sum p r phi = 0. Then
///   e^{a (rho(L+d) - rho(L))} - 1
///     = sum g (1 + r) expm1(a d) - (a / (E t)) KL(p(1+r)|p),   g = p u / E.
/// For an approximate tau, a Newton step y = G / (T V) away at the tilt T = t + tau, the
/// Lagrangian's value, with G weighted by its multiplier, is above its least by G y / (2 T^2) times
/// 1 + y (1 / T + K3 / (3 V)) + O(y^2), with V and K3 the second and the third cumulant of the
/// utilities phi + psi under p (1 + r).
class TiltChange {
 public:
  /// Relative to the change, what the estimate of the Lagrangian's excess over its minimum may
  /// leave of it, by the size of its next term, instead of another step.
  static constexpr double kAccurate = 1e-16;
  /// Where the worst case leaves the states it was on, 1 + z is a difference of equals.
  static constexpr double kLeastMass = 0.01;
  static constexpr double kLargest = 2.0;  ///< a |d| of changes that are small enough

  explicit TiltChange(Eigen::Index states);

  /// Set the losses, with `deviation` from their maximum and worst case p = q e^{t phi} / Z.
  /// inverse_mu = t; zero where p does not move (Omega = 0).
  void set_base(const ArrayView& deviation, const ArrayView& p, double risk_aversion,
                double inverse_mu);
  const Array& state_prices() const { return prices_; }

  double risk_aversion() const { return a_; }
  double inverse_mu() const { return t_; }
  double mean_utility() const { return mean_utility_; }
  double variance() const { return variance_; }
  double third_moment() const { return third_; }
  double phi_range() const { return phi_range_; }
  const Array& p() const { return p_; }
  const Array& phi() const { return phi_; }
  /// Whether changes of p have digits here.
  bool is_accurate() const { return t_ == 0.0 || mean_utility_ >= kLeastMeanUtility; }

  bool covers(double largest) const { return a_ * largest <= kLargest; }

  /// Set a change d of the losses, from `low` to `high`.
  void set_change(const ArrayView& change, double low, double high);
  /// Set its opposite, the other side of a trade, from the same exponentials.
  void reverse();
  /// Sets `value` to rho(L + d) - rho(L); false where the worst case leaves the tilts.
  bool evaluate(double* value, Array* prices);

 private:
  /// What p moves is divided by the mean utility: rounding grows as that falls.
  static constexpr double kLeastMeanUtility = 1e-8;

  bool fill_growth_of_two(const ArrayView& change, double low, double high);
  void fill_psi();
  double sums(bool small, double tau);

  Eigen::Index states_;
  Eigen::Index padded_;  // four states at a time; those past the last have weight zero
  double a_ = 1.0;
  double t_ = 0.0;
  double mean_utility_ = 1.0;  // E
  double variance_ = 0.0;      // of phi under p
  double third_ = 0.0;         // its third moment
  double phi_range_ = 0.0;
  Array p_, phi_, u_, g_;  // phi centred under p
  Array growth_;           // expm1(a d)
  double growth_of_low_ = 0.0, growth_of_high_ = 0.0;
  Array psi_, moved_;  // moved: e^m - 1
  Array prices_;
  PsiMoments<double> moments_ = {};
  // Of the last sums(): E_p e^m - 1, sum g (1 + r) expm1(a d), KL(p(1+r)|p), V and K3.
  double z_ = 0.0, gain_ = 0.0, divergence_ = 0.0;
  double moved_variance_ = 0.0, moved_third_ = 0.0;
};

}  // namespace kpm
