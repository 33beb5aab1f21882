// The distribution nearest to the prior whose claim prices lie in given ranges.
#pragma once

#include <vector>

#include "book/scaled_market.hpp"
#include "numerics/arena.hpp"
#include "numerics/checkpoint.hpp"
#include "numerics/dense.hpp"
#include "numerics/semidefinite_cholesky.hpp"

namespace kpm {

/// min KL(x | q) over x on the simplex, zero outside a set of states, with low <= P x <= high
/// (the information projection of q). x is q e^{P' lambda}, normalised; a claim's lambda is zero
/// unless an end of its range binds. Newton's method finds lambda on the concave dual
///   -ln sum q e^{P' lambda} + lambda . (the prices wanted).
/// There is at most one minimiser: KL is strictly convex.
/// Cost per Newton step: O(A^2 N + A^3) for A claims whose price is wanted, N exponentials. Where
/// claims pay on disjoint sets of states, prices are the prior's times one factor, as far as their
/// ranges let them: the root of a piecewise linear function, O(K) a step after O(N) once.
class InformationProjection {
 public:
  /// `checkpoint`, if any, is passed at each row of a Newton step, or at each step of that root.
  InformationProjection(const ScaledMarket& market, Arena& arena, Checkpoint* checkpoint = nullptr);

  /// No state may be positive, every price is admitted.
  void clear();
  void add_state(int state) { support_.push_back(state); }
  void set_range(int claim, double low, double high) {
    low_[claim] = low;
    high_[claim] = high;
  }

  /// Starting from the prior, adds violated ranges until there are none, and drops those whose
  /// multiplier has the wrong sign; one whose price follows from those of others replaces one of
  /// these. Exact if it returns true. False, without any conclusion, if it takes too long, where
  /// states must vanish (KL then has no finite lambda; disjoint claims need none), or where the
  /// dual says that the answer is farther than `farthest` from the prior.
  bool settle(double farthest = kInfinity);

  const Slice& distribution() const { return distribution_; }  ///< (states) x

  /// Whether its exponents are still precise. Claims that differ by little more than rounding need
  /// multipliers so large that they are not: the prices are met, but these state prices need not be
  /// the nearest of those that meet them.
  bool is_sharp() const;

 private:
  bool settle_by(bool together);
  bool settle_disjoint();
  bool ranges_add_up(const Slice& share, double free, double slack) const;
  void load();
  void weigh();
  void pass(double operations);
  void price_others();
  void find_hessian();
  void publish();
  bool is_point(int k) const;
  enum class Newton : char { kMet, kExchanged, kFailed };
  Newton newton(double precision, int most_steps);
  Newton exchange(const double* missed);
  bool drop_wrong_sign_multipliers();

  const ScaledMarket& market_;
  Checkpoint* checkpoint_;
  const DisjointClaims& sets_;
  std::vector<int> support_;  // the states that may be positive
  std::vector<int> active_;   // claims whose price is wanted; all other multipliers are zero
  Span<int> end_;             // (claims) -1 the low end, +1 the high end, 0 neither
  Slice low_, high_;          // (claims)
  Slice distribution_;        // (states)

  // Compressed to the support, which is as large as the market at most.
  MatrixSlice payoffs_;  // (claims, states)
  MatrixSlice scaled_;   // active rows of centred payoffs times the roots of the weights
  MatrixSlice hessian_;  // (active, active)
  Slice prior_, weight_, root_, moved_;  // (states)
  Slice lambda_, price_;                 // (claims)
  Slice step_;                           // (active), or (claims) shares of the prior
  Slice null_;                           // (active) multipliers that cancel out in every state
  SemidefiniteCholesky factor_;
  double log_mass_ = 0.0;  // ln sum q e^{P' lambda}
  double farthest_ = kInfinity;
  bool too_far_ = false;
  bool weighed_ = false;  // whether the weights are those of the multipliers
};

}  // namespace kpm
