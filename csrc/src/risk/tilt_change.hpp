// The change of a tilted worst case under a small change of the losses, to rounding of the change.
#pragma once

#include "numerics/dense.hpp"
#include "numerics/expm1.hpp"

namespace kpm {

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
/// For an approximate tau the Lagrangian's value, with G weighted by its multiplier, is accurate to
/// second order.
class TiltChange {
 public:
  explicit TiltChange(Eigen::Index states);

  /// Set the losses, with `deviation` from their maximum and worst case p = q e^{t phi} / Z.
  /// inverse_mu = t; zero where p does not move (Omega = 0).
  void set_base(const ArrayView& deviation, const ArrayView& p, double risk_aversion,
                double inverse_mu);
  const Array& state_prices() const { return prices_; }

  /// Whether changes this large are small enough here.
  bool covers(double largest) const { return a_ * largest <= kLargest; }

  /// Sets `value` to rho(L + d) - rho(L) for changes from `low` to `high`; false where the worst
  /// case leaves the tilts.
  bool evaluate(const ArrayView& change, double low, double high, double* value, Array* prices);

 private:
  static constexpr double kLargest = 2.0;  // a |d|

  template <bool kAffine>
  bool fill_psi(const ArrayView& change, double low, double high);
  void fill_growth(const ArrayView& change, double largest);
  double second_order_root() const;
  template <Exponents kSize>
  double sums(double tau, bool keep);
  double moved_variance() const;

  Eigen::Index states_;
  Eigen::Index padded_;  // an even number: two states at a time
  double a_ = 1.0;
  double t_ = 0.0;
  double mean_utility_ = 1.0;  // E
  double variance_ = 0.0;      // of phi under p
  double third_ = 0.0;         // its third moment
  double phi_range_ = 0.0;
  Array p_, phi_, u_, g_;  // phi centred under p
  Array growth_;           // expm1(a d)
  Array psi_, moved_;      // moved: e^m - 1
  Array prices_;
  // E_p of psi, psi phi, psi^2, psi phi^2 and psi^2 phi.
  double mean_ = 0.0, covariance_ = 0.0, square_ = 0.0, phi_skew_ = 0.0, psi_skew_ = 0.0;
  // Of the last sums(): E_p e^m - 1, sum g (1 + r) expm1(a d), KL(p(1+r)|p).
  double z_ = 0.0, gain_ = 0.0, divergence_ = 0.0;
};

}  // namespace kpm
