// The demand of a cell: a smooth convex problem in the quantities of the steps.
#pragma once

#include <optional>

#include "book/scaled_market.hpp"
#include "cell/hull.hpp"
#include "ipm/disjoint_system.hpp"
#include "ipm/nested_system.hpp"
#include "ipm/predictor_corrector.hpp"
#include "ipm/risk_block.hpp"
#include "numerics/arena.hpp"
#include "numerics/dense.hpp"
#include "numerics/semidefinite_cholesky.hpp"

namespace kpm {

/// maximise  sum over steps of pi_k y_k - rho(P'y - w)  with every y_k within its step; the
/// flats' demand is given. A step is priced at cost G_k - pi_k, where G = P g values the claims at
/// the maker's marginal state prices, and a Newton step is reduced to
///   (1 / spread + curvature) dy = residual.
/// Cost per iteration: O(S^2 N + S^3) for S steps, with about 2 N logarithms; about eight thousand
/// instructions for five states and two or three steps. O(N + K) for disjoint or nested claims.
class DemandProgram {
 public:
  DemandProgram(const ScaledMarket& market, Arena& arena);

  void load(const Hull& hull);
  bool empty() const { return steps_.size() == 0; }
  double magnitude() const { return magnitude_; }  ///< of the losses that rounding sees

  // What the predictor-corrector loop calls.
  void start(const Attempt& attempt);
  void update_residuals();
  void factor();
  void set_affine_rhs();
  void set_combined_rhs(double tau, bool second_order);
  void set_centering_rhs(double tau);
  void direction();
  double complementarity(Step along) const;
  double degree() const { return steps_.degree() + risk_.degree(); }
  double nonlinearity() const { return risk_.weighted_residual(); }
  Step max_step(double share) const;
  Step shorten(Step along);
  void advance(Step along);
  bool near_convergence(double gap, double tolerance) const { return near_the_end(gap, tolerance); }
  bool keep_best(double tolerance);

  int size() const { return steps_.size(); }
  int claim(int j) const { return claim_[j]; }

  // The best point so far.
  void write_demand(Eigen::Ref<Array> demand) const;  ///< (claims) the steps' entries
  const Slice& worst_case() const { return best_p_; }
  const Slice& marginal_state_prices() const { return best_g_; }
  double risk() const { return best_risk_; }              ///< rho, from above
  double divergence() const { return best_divergence_; }  ///< KL(g|p) / a
  double ambiguity_price() const { return best_ambiguity_price_; }
  double merit() const { return merit_; }
  double dual_residual() const { return best_dual_residual_; }
  void forget() { merit_ = kInfinity; }

 private:
  const double* payoff(int j) const { return &market_.payoffs(claim_[j], 0); }
  template <class Keep>
  void value_steps(const Slice& x, Keep&& keep);
  template <class Demand>
  void add_losses(const Demand& demand, Slice& loss);
  void losses();
  void costs();
  void add_owed(Slice& loss);
  void factor_sets();
  void solve_sets();
  double bound();

  const ScaledMarket& market_;
  IntervalBlock steps_;
  RiskBlock risk_;
  Span<int> claim_;     // (steps) the claim of each
  Slice loss_, dloss_;  // (states)
  Slice price_;         // (steps) pi
  Slice base_;          // (states) losses of the given demand, less their maximum
  Slice step_value_;    // (steps)
  Slice scale_;         // (steps) root of the spread
  Slice column_;        // (steps)
  Slice ddemand_;       // (steps)
  MatrixSlice roots_;   // (steps, root_size) scaled: roots roots' = scale curvature scale
  MatrixSlice matrix_;  // the identity plus that
  Slice best_demand_, best_p_, best_g_;
  SemidefiniteCholesky factor_;
  const bool of_sets_;  // claims are: with one of these in the place of roots, matrix and factor
  std::optional<DisjointCurvature> disjoint_;
  std::optional<NestedSystem> nested_;
  Slice of_claims_, bend_;  // (claims) for it: zero but for the steps
  Slice owed_;              // (states)
  Slice prices_, fixed_;    // (claims) the other half of the nested system: nothing moves
  Slice weight_;            // (states)
  double magnitude_ = 0.0;
  double start_ = 1.0;

  double best_risk_ = 0.0, best_divergence_ = 0.0, best_ambiguity_price_ = 0.0;
  double merit_ = kInfinity, best_dual_residual_ = 0.0;
};

}  // namespace kpm
