// A maker's cost, its gradient and its conjugate: exact to rounding, for any maker.
#pragma once

#include "mechanisms/competitive/scaled_maker.hpp"
#include "risk/risk_measure.hpp"

namespace kpm {

/// (1/a) ln E_p e^{a loss} for vertex v of a polytope, and its gradient.
double certainty_equivalent(const ScaledMaker& maker, int v, double a, const ArrayView& loss,
                            double* gradient);

/// C(L) as the maximum of smooth functions: of one where C is smooth, of several at a kink.
///   log barrier    sum delta / (t - L) = 1 by Newton's method, from below
///   log utility    sum pi ln(1 + (C - L) / m) = 0, the same in ln(m + C - max L), from above
///   quadratic      pi + L / 2c projected on the simplex, by sorting
///   polytope       a log-sum-exp a vertex
class MakerFunction {
 public:
  MakerFunction(const ScaledMarket& market, const ScaledMaker& maker, Arena& arena);

  /// C(loss), and a subgradient in g().
  double evaluate(const ArrayView& loss);
  const Slice& g() const { return g_; }
  /// A Knightian maker's worst case; elsewhere what g() was tilted from, or g() itself.
  const Slice& worst_case() const { return p_; }
  double ambiguity_price() const { return ambiguity_price_; }

  /// dg/dL where C was last evaluated, off its kinks, as a sum of root_size() squares; `root` is
  /// what they leave of a claim's payoff.
  void prepare_curvature();
  Eigen::Index root_size() const { return 2 * g_.size(); }
  void root(const double* payoff, double* root) const;

  /// C*(g), where a Knightian or polytope maker's infimum over p is replaced by the given p.
  double conjugate(const ArrayView& g, const ArrayView& p) const;

 private:
  double barrier(const ArrayView& loss);
  double utility(const ArrayView& loss);
  double quadratic(const ArrayView& loss);
  double knightian(const ArrayView& loss);
  double polytope(const ArrayView& loss);

  const ScaledMarket& market_;
  const ScaledMaker& maker_;
  RiskMeasure measure_;
  Slice g_, p_, below_, loss_;  // (states)
  double ambiguity_price_ = 0.0;
  double least_slack_ = 0.0;  // a utility maker's in its worst state
  // What prepare_curvature() finds: how fast prices flow, about which mean; and for a ball of
  // priors what the worst case adds, of payoffs times marginal utilities.
  Array flow_, centre_, worth_, spread_, worst_flow_;
};

}  // namespace kpm
