// The change of a tilted worst case by trades in a claim of two payoffs.
#pragma once

#include <vector>

#include "numerics/dense.hpp"
#include "numerics/exponential_sum.hpp"
#include "risk/tilt_change.hpp"

namespace kpm {

/// What TiltChange computes, for both sides of a trade at once and without a pass over the states.
///
/// On the states S of the higher payoff expm1(a d) is one number, so that psi = G (E + a phi) with
/// G = expm1(a d) / a, and
///   m = tau phi + c + (kappa - tau) phi on S,   c = (t + tau) G E,   kappa = tau + (t + tau) a G,
/// and m = tau phi elsewhere. Every sum over the states is then one of e^{tau phi}, over all states
/// or S, or of e^{kappa phi}: power series whose terms are those of the states, computed once for
/// each position of the maker, and added up over S once for each claim.
class TwoValuedChange {
 public:
  explicit TwoValuedChange(Eigen::Index states);

  /// The position that `tilt` was set to.
  void set_base(const TiltChange& tilt);
  /// False where the claim has other than two payoffs.
  bool set_claim(const double* payoff);

  /// The costs of `shares` sold and, as a negative number, bought; false where the tilts are too
  /// far, which is left to TiltChange.
  bool costs(double shares, double* sold, double* bought) const;

 private:
  Eigen::Index states_;
  double a_ = 1.0;
  double t_ = 0.0;
  double mean_utility_ = 1.0;
  double phi_range_ = 1.0;
  double variance_ = 0.0, third_ = 0.0;  // of phi
  bool base_ = false;                    // whether the tilts of this position have series
  Matrix terms_;                         // by states: of p e^{t phi / phi_range}
  ExponentialSum all_, on_;              // over all states, over S
  std::vector<Eigen::Index> high_;       // S
  double low_payoff_ = 0.0, high_payoff_ = 0.0;
};

}  // namespace kpm
