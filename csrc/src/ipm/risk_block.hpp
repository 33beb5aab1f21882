// The maker's risk inside the interior-point method: the perspective log-sum-exp (25).
#pragma once

#include "ipm/interval_block.hpp"
#include "model/scaled_market.hpp"
#include "numerics/dense.hpp"

namespace kpm {

/// rho(L) is the saddle value  max over (g, p) of  g.L - KL(g|p)/a  with KL(p|q) <= Omega, both on
/// the simplex. The unknowns are exponents, so that neither a -> 0 nor a tiny ball loses digits:
///   p_i = q_i e^{m_i},   g_i = p_i e^{a e_i},   phi_i = (e^{a e_i} - 1) / a,
/// with c = rho, mu the multiplier of the ball, kappa that of sum p = 1, and the conditions
///   L_i - e_i - c + t_i = 0                  (g stationary; t g -> 0 keeps g positive)
///   phi_i - mu m_i - kappa + h_i = 0         (p stationary; h p -> 0 keeps p positive as mu -> 0)
///   sum p_i = 1,   sum p_i phi_i = 0,   mu s -> 0   with s = Omega - KL(p|q).
/// exp(a e_i) is the paper's e^{zeta_i} and phi_i its omega_i, shifted and scaled by the utility at
/// the optimum: (25) in units that cannot overflow. Per state the step is a 2 x 2 system; c, kappa
/// and mu border it. So the Hessian d g / d L is diagonal plus rank three, O(N) to apply.
///
/// Powers are updated by their own step, p by (1 + x), and exponents by its log1p: one
/// transcendental function per exponent and iteration.
class RiskBlock {
 public:
  explicit RiskBlock(const ScaledMarket& market);

  /// A well-centred start for the given losses: p tilted as far as `entropy_share` of the radius
  /// allows, complementarity products about tau times the prior.
  void start(const Array& loss, double tau, double entropy_share);

  /// Residuals and the border for the current losses.
  void factor(const Array& loss);

  /// dg/dL is the sum of root_size() squares; `root` is what they leave of a claim's payoff, times
  /// `scale`. Summing squares keeps the digits that subtracting the border's rank-three term
  /// would cancel near a kink.
  Eigen::Index root_size() const;
  void root(const double* payoff, double scale, double* root) const;

  /// dg for unchanged losses, into step_g, for the targets set before.
  void condense();

  /// Recover the step from the change of the losses.
  void expand(const Array& dloss);

  /// Sum of complementarity products at `step` along the direction (0: now), and their weight.
  double complementarity(double step) const;
  double weight() const { return ball_ ? 2.0 + ball_weight_ : 1.0; }

  /// Targets of the products: predictor (towards zero) and corrector (towards tau, with the
  /// second-order terms of the predictor).
  void target_predictor();
  void target_corrector(double tau, bool second_order);
  void target_centre(double tau);

  /// Raise `steepest` to the greatest relative decrease per unit step.
  void steepest(double& steepest) const;
  /// Shorten `step` until the ball's slack stays a fair part of what the linear model promised and
  /// the nonlinear residual falls, or is small next to the products (now and after a full step).
  double shorten(double step, double tau_now, double tau_full);
  void advance(double step);  ///< by what shorten() returned

  /// Violation of the stationarity conditions, weighted by the probability it acts on: money.
  double weighted_residual() const { return weighted_residual_; }

  /// KL(g|p) / a for g and p scaled to sum to one, without cancellation.
  double divergence() const;

  /// An upper bound of rho(loss) from the current mu: any mu > 0 gives one.
  double upper_bound(const Array& loss) const;

  /// d rho / d Omega: the ball's multiplier, exactly 0 where the ball is slack (a kink).
  double ambiguity_price() const;

  Array p, g;
  Array step_g;
  double dual_residual = 0.0;

 private:
  void refresh();
  void start_ball(double tau, double entropy_share);
  double phi_change(Eigen::Index i, double step) const;
  void try_step(double step);

  const ScaledMarket& market_;
  const bool ball_;     // p moves, inside a KL ball
  const bool simplex_;  // p = g moves freely
  const double a_;      // risk aversion; 0 where the worst state decides
  const Eigen::Index states_;
  Array weight_;  // of a state among the products: the prior, where it matters

  // The unknowns, e^m and e^m - 1, e^{a e} and phi; and their steps x = dp / p, eps = de.
  Array m_, ratio_, excess_, e_, gamma_, phi_, t_, h_;
  Array x_, eps_, dt_, dh_;
  double c_ = 0.0, mu_ = 0.0, kappa_ = 0.0, slack_ = 1.0;
  double dc_ = 0.0, dmu_ = 0.0, dkappa_ = 0.0, dslack_ = 0.0;
  const Array* dloss_ = nullptr;
  double trial_slack_ = 0.0, trial_residual_ = 0.0, trial_descent_ = 0.0;
  double ball_weight_ = 1.0;  // of mu s among the products: its natural scale at the start

  // Targets of the products t g, h p, mu s, and the ball's second-order term.
  Array target_t_, target_h_;
  double target_ball_ = 0.0, ball_correction_ = 0.0;

  // Condensed quantities, named where factor() and condense() derive them.
  Array r1_, r2_, k1_, x0_, shrink_, gp_, eta_, inverse_e_, trial_m_, trial_e_;
  Array row_c_, row_kappa_, row_mu_, root_p_, root_g_;
  double r3_ = 0.0, r4_ = 0.0, weighted_residual_ = 0.0;
  Eigen::Matrix3d border_inverse_ = Eigen::Matrix3d::Identity();
  Eigen::Vector3d border_rhs_ = Eigen::Vector3d::Zero();
};

}  // namespace kpm
