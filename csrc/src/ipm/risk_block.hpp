// The maker's risk inside the interior-point method: the perspective log-sum-exp (25).
#pragma once

#include "book/scaled_market.hpp"
#include "ipm/interval_block.hpp"
#include "numerics/arena.hpp"
#include "numerics/pair.hpp"

namespace kpm {

/// rho(L) is the saddle value  max over (g, p) of  g.L - KL(g|p)/a  with KL(p|q) <= Omega, both on
/// the simplex. The unknowns are exponents, so that neither a -> 0 nor a tiny ball causes a loss of
/// digits:
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
  RiskBlock(const ScaledMarket& market, Arena& arena);

  /// A first guess of g for the given losses, mostly without an exponential.
  void guess(const ArrayView& loss, double tau, double entropy_share);

  /// A well-centred start for the given losses: p tilted as far as `entropy_share` of the radius
  /// allows, complementarity products about tau times the prior.
  /// Products of states rarer than kRare have at least the weight `rare`.
  void start(const ArrayView& loss, double tau, double entropy_share, double rare = kRare);

  /// Residuals and the border for the current losses.
  void update_residuals(const double* loss);

  /// dg/dL is the sum of root_size() squares; `root` is what they leave of a claim's payoff, times
  /// `scale`. Summing squares keeps the digits that subtracting the border's rank-three term
  /// would cancel near a kink.
  Eigen::Index root_size() const;
  void root(const double* payoff, double scale, double* root) const;

  /// The same state by state, for callers that do not eliminate them: L' (dg/dL) L is the least
  ///   sum_i of_g (L_i - kappa - d)^2 + of_p (gp (L_i - kappa) - a_eta d - m mu)^2 + slack mu^2
  /// over (kappa, d, mu), or over kappa alone where there is no ball. In the terms of theory.md
  /// c = kappa + d, and kappa is kappa' less what moves all losses alike: then neither a -> 0 nor
  /// such a move without bounds makes two of the three look the same.
  struct Curvature {
    double of_g, of_p, gp, a_eta, m;
  };
  Curvature curvature(Eigen::Index state) const;
  double slack_curvature() const { return root_slack_ * root_slack_; }
  bool has_ball() const { return ball_; }

  /// dg for unchanged losses, into step_g, for the targets set before.
  void reduce();

  /// Recover the step from the change of the losses.
  void recover_step(const double* dloss);

  /// Sum of complementarity products at `step` along the direction (0: now), and their weight.
  double complementarity(double step) const { return products_.at({step, step}); }
  double degree() const { return ball_ ? 2.0 + ball_weight_ : 1.0; }

  /// Targets of the products: predictor (towards zero) and corrector (towards tau, with the
  /// second-order terms of the predictor).
  void set_affine_rhs();
  void set_combined_rhs(double tau, bool second_order);
  void set_centering_rhs(double tau);

  /// Raise `inverse_step` to the greatest relative decrease per unit step.
  void ratio_test(double& inverse_step) const {
    inverse_step = std::max(inverse_step, inverse_step_);
  }
  /// Shorten `step` until the ball's slack stays a fair part of what the linear model promised and
  /// the nonlinear residual falls, or is small next to the products (now and after a full step).
  double shorten(double step, double tau_now, double tau_full);
  void advance(double step);  ///< by what shorten() returned

  /// Violation of the stationarity conditions, weighted by the probability it acts on: money.
  double weighted_residual() const { return weighted_residual_; }

  /// KL(g|p) / a for g and p scaled to sum to one, without cancellation.
  double divergence() const;

  /// An upper bound of rho(loss) from the current mu: any mu > 0 gives one.
  double upper_bound(const ArrayView& loss) const;

  /// d rho / d Omega: the ball's multiplier, exactly 0 where the ball is slack (a kink).
  double ambiguity_price() const;

  Slice p, g;
  Slice step_g;

 private:
  /// One record for two states: a loop over a few states touches a few cache lines with one
  /// pointer, and does two at a time. Where their number is odd the last record has its one state
  /// twice, alike but for a prior of zero: it takes no part in any sum and is no worse in any
  /// comparison.
  struct States {
    Pair q, weight;  // the prior; the weight among the products over the prior, at least one
    // The unknowns, e^m and e^m - 1, e^{a e} and phi; and their steps x = dp / p, eps = de.
    Pair m, ratio, excess, e, gamma, phi, t, h;
    Pair x, eps, dt, dh, dloss;
    Pair trial_m, trial_e, change;  // where a step would lead; the change of phi over its slope
    // Targets of the products t g and h p less the products, over g and p; weight over g and p.
    Pair target_t, target_h, centre_t, centre_h;
    // Reduced quantities, named where update_residuals() and reduce() derive them.
    Pair p, g, r1, r2, k1, x0, shrink, gp, eta, inverse_e;
    Pair row_c, row_kappa, row_mu, root_p, root_g;
  };

  /// The equations for (dc, dkappa', dmu), factored.
  struct Border {
    struct Solution {
      double c, kappa, mu;
    };
    Solution solve(double of_c, double of_kappa, double of_mu) const {
      const double rest_kappa = of_kappa - kappa_by_c * of_c;
      const double rest_mu = of_mu - mu_by_c * of_c - mu_by_kappa * rest_kappa;
      const double mu = rest_mu * inverse_mu;
      const double kappa = rest_kappa * inverse_kappa - mu_by_kappa * mu;
      return {(of_c - ck * kappa - cm * mu) * inverse_c, kappa, mu};
    }
    double ck, cm;                                // row of c
    double kappa_by_c, mu_by_c, mu_by_kappa;      // multiples of earlier rows taken out
    double inverse_c, inverse_kappa, inverse_mu;  // of the pivots, 0 for what does not move
  };

  /// The border's entries, summed over the states.
  struct Sums {
    double cc, ck, cm, kk, km, mm;
  };

  void tilt(const ArrayView& loss, double tau, double entropy_share);
  void refresh();
  void factor_border(const Sums& of);
  void put(Slice& array, Eigen::Index k, const Pair& values) const;
  void tilt_in_ball(double tau, double entropy_share);
  double tilt_by(double inverse_mu);
  void search_tilt(double entropy, double most);
  double variance() const;
  void weigh_rare_states(double rare);
  void lift_rare_states(double tau);
  void try_step(double step);

  const ScaledMarket& market_;
  static constexpr double kRare = 1e-6;  // a prior

  const bool ball_;     // p moves, inside a KL ball
  const bool simplex_;  // p = g moves freely
  const double a_;      // risk aversion; 0 where the worst state decides
  const double inverse_a_;
  const Eigen::Index count_;
  const bool rare_;  // some state is
  Span<States> states_;

  double c_ = 0.0, mu_ = 0.0, kappa_ = 0.0, slack_ = 1.0;
  double dc_ = 0.0, dmu_ = 0.0, dkappa_ = 0.0, dslack_ = 0.0;
  double trial_slack_ = 0.0, trial_residual_ = 0.0, trial_descent_ = 0.0;
  double ball_weight_ = 1.0;  // of mu s among the products: its natural scale at the start
  double target_ball_ = 0.0, ball_correction_ = 0.0;  // target of mu s; second-order term
  double curvature_ = 0.0;                            // of KL along the direction

  double r3_ = 0.0, r4_ = 0.0, weighted_residual_ = 0.0;
  double root_slack_ = 0.0;
  Border border_{};
  double of_c_ = 0.0, of_kappa_ = 0.0, of_mu_ = 0.0;  // the border's right-hand side
  Products products_;
  double inverse_step_ = 0.0;
};

inline RiskBlock::Curvature RiskBlock::curvature(Eigen::Index state) const {
  const States& pair = states_[state / 2];
  const Eigen::Index lane = state % 2;
  const double of_g = pair.root_g[lane];
  const double of_p = ball_ || simplex_ ? pair.root_p[lane] : 0.0;
  return {simplex_ ? 0.0 : of_g * of_g, of_p * of_p, pair.gp[lane], a_ * pair.eta[lane],
          pair.m[lane]};
}

}  // namespace kpm
