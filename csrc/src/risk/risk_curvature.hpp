// The second derivatives of the risk measure.
#pragma once

#include <vector>

#include "numerics/dense.hpp"

namespace kpm {

/// d2 rho / dL2 as a sum of squares, at the worst case p inside the ball's boundary and state
/// prices g = p u, u = e^{a (L - rho)}. p moves with the losses on the sphere KL(p|q) = Omega, on
/// which p ~ q e^{u / (a nu)}, nu = d rho / d Omega:
///     a Cov_g(P, P') + (Cov_p(uP, uP') - Cov_p(uP, u) Cov_p(u, uP') / Var_p u) / nu.
/// `multiplier` is nu; infinite where p does not move (Omega = 0).
class RiskCurvature {
 public:
  RiskCurvature(const ArrayView& p, const ArrayView& g, double risk_aversion, double multiplier);

  bool worst_case_moves() const { return root_of_weight_ > 0.0; }
  /// What the squares leave of a claim's payoff, a number for each state: the first term's, and
  /// those of the worst case where it moves.
  void root_of_prices(const double* payoff, double* root) const;
  void root_of_worst_case(const double* payoff, double* root) const;

 private:
  /// Columns of states_; the deviation is that of u, times the root of p.
  enum : Eigen::Index { kPrice, kRootOfP, kRootOfFlow, kDeviation, kColumns };

  const double* of_states(Eigen::Index column) const { return states_.col(column).data(); }

  Eigen::Array<double, Eigen::Dynamic, kColumns> states_;
  double root_of_weight_ = 0.0, variance_ = 0.0;
};

/// Second derivatives of rho(P'y - w) in the y of some claims, the lower triangle; P is `payoffs`.
Matrix risk_curvature(const Matrix& payoffs, const std::vector<int>& claims, const ArrayView& p,
                      const ArrayView& g, double risk_aversion, double multiplier);

}  // namespace kpm
