// The least and the greatest expectation of a claim over a ball of distributions.
#pragma once

#include "numerics/arena.hpp"
#include "numerics/dense.hpp"
#include "numerics/divergence_root.hpp"
#include "numerics/expm1.hpp"
#include "numerics/exponential_sum.hpp"
#include "numerics/pair.hpp"
#include "numerics/state_sums.hpp"
#include "risk/risk_measure.hpp"

namespace kpm {

/// A claim of two outcomes over the ball: the probabilities of the higher one (`high`) and of the
/// lower (`low`, 1 - high with its own digits) where the first is greatest, and where it is least.
struct TwoOutcomes {
  double low = 0.0;  ///< the outcomes
  double high = 0.0;
  double most_of_high = 0.0, rest_of_low = 0.0;  ///< add up to one
  double most_of_low = 0.0, rest_of_high = 0.0;
};

/// The support function of {g : KL(g|q) <= Omega}, what a marginal quote is at a kink.
///
/// A claim of two outcomes depends on one number, the probability m of the higher one: its ask and
/// bid are the roots x of x ln(x/m) + (1-x) ln((1-x)/(1-m)) = Omega, which is solved for both at
/// once. Any other has the tilt g ~ q e^{t b} with t K'(t) - K(t) = Omega, K(t) = ln E_q e^{t b},
/// one root in t a side. Both are solved as sqrt(2 KL) = sqrt(2 Omega), which is nearly linear in
/// the unknown and has a series at Omega = 0 to start from. What these do not reach, claims whose
/// worst case nearly leaves a state, is left to RiskMeasure.
class BallSupport {
 public:
  BallSupport(Eigen::Index states, Arena& arena);

  /// q > 0 adds up to one, radius > 0.
  void set_ball(const ArrayView& prior, double radius);

  /// Min and max of g.values, for rows of values. By states of the ball.
  void bounds(const double* values, Eigen::Index rows, double* least, double* greatest);
  /// The max alone.
  double greatest(const double* values);
  /// The same for values that are more than two, from `low` to `high`.
  double greatest_of_many(const double* values, double low, double high);

  /// Whether a claim has two outcomes, and then its extreme probabilities.
  bool two_outcomes(const double* values, TwoOutcomes& outcomes);

 private:
  struct Range {
    double low;
    double high;
  };

  Range range_of(const double* values) const;
  bool masses_of_bits(const double* values, double* of_zero, double* of_one) const;
  bool masses(const double* values, const Range& range, double* of_low, double* of_high) const;
  bool two_masses(const double* values, TwoOutcomes& outcomes, Pair& q) const;
  void bounds_of_many(const double* values, const TwoOutcomes& of, double* least, double* greatest);
  bool is_series(const Pair& q) const;
  Pair roots(const Pair& q, const Pair& r);
  const RootStart& start();
  double mass_of_zeros(const double* values) const;
  void make_certain(const Pair& q, Pair& x, Pair& y) const;
  void extremes(const Pair& q, const Pair& r, Pair& x, Pair& y);
  void centre(const double* values, const Range& range);
  double of_side(const double* values, const Range& range, double sign, double above);
  Pair tilted(Pair sign) const;

  const StateSums& sums_ = state_sums();
  Eigen::Index states_ = 0;
  Eigen::Index padded_ = 0;  // four states at a time; those past the last have no weight
  double mass_ = 1.0;        // of the prior
  double omega_ = 0.0;
  double root_ = 0.0;       // sqrt(2 Omega)
  double certain_ = 0.0;    // e^-Omega: outcomes at least as likely may be certain
  RootStart start_;         // of roots,
  bool has_start_ = false;  // once one was asked for
  Array prior_;             // padded with zeros
  Array centred_, powers_;
  ExponentialSum sum_;  // E e^{t centred}
  RiskMeasure measure_;
  Array values_;  // for measure_
  double mean_ = 0.0, farthest_ = 0.0;
  double deviation_ = 0.0, skewness_ = 0.0, kurtosis_ = 0.0;  // of centred_
};

}  // namespace kpm
