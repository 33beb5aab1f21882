// The relaxation of a box: hulls of corners, state prices and risk, coupled.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "book/corners.hpp"
#include "ipm/corner_block.hpp"
#include "ipm/disjoint_system.hpp"
#include "ipm/narrow_system.hpp"
#include "ipm/predictor_corrector.hpp"
#include "ipm/risk_block.hpp"
#include "ipm/state_price_block.hpp"
#include "ipm/step_system.hpp"
#include "numerics/semidefinite_cholesky.hpp"
#include "risk/dual_bound.hpp"

namespace kpm {

/// maximise  sum r_k - rho(P'y - w)   with (pi_k, y_k, r_k) in the hull of run k,  pi = P xi.
///
/// A Newton step couples prices and demand in two symmetric systems with a row per claim,
///   (1 + s H s) e = b dlambda - s (step_G + H step_y),        s = root of demand_demand,
///   (gram + price_alone + b (1 + s H s)^-1 b) dlambda = ...,   b = price_demand / s,
/// with H = P (dg/dL) P' a sum of squares. On a single piece s or price_alone is zero and the two
/// separate into the programs of a cell. Cost per iteration: O(K^2 N + K^3), about 2 N logarithms,
/// and one pass over the run's corners for the bound and new columns. Where claims pay on disjoint
/// or nested sets, or along an index on either side of strikes, the systems are solved without a
/// matrix, in O(N + K), and where there are many more claims than states by factors of the states'
/// size, in O(K N^2). It starts from the parent's multipliers where these are near: mostly a third
/// or half of the iterations are left.
class RelaxationProgram {
 public:
  RelaxationProgram(const ScaledMarket& market, const std::vector<Corners>& corners, Arena& arena);

  /// What to solve, and when it is enough: a bound below `incumbent`, or a gap of `branch_share`
  /// of the distance to it. It begins with all corners of short runs, and of others with the
  /// parent's best and those `beside` it, so many on either side (0: no half, but the whole). The
  /// box is read until the next one is loaded, so it must have a name, and the parent's multipliers
  /// until the start.
  void load(const Box& box, const Multipliers* parent, double incumbent, double branch_share,
            int beside);
  void load(Box&&, const Multipliers*, double, double, int) = delete;

  /// A better clearing is known: what is enough changes.
  void raise_incumbent(double incumbent) { incumbent_ = incumbent; }

  // What the predictor-corrector loop calls.
  void start(const Attempt& attempt);
  void update_residuals();
  void factor();
  void set_affine_rhs();
  void set_combined_rhs(double tau, bool second_order);
  void set_centering_rhs(double tau);
  void direction();
  double complementarity(Step along) const;
  double degree() const { return states_.degree() + hulls_.degree() + risk_.degree(); }
  double nonlinearity() const { return risk_.weighted_residual(); }
  Step max_step(double share) const;
  Step shorten(Step along);
  void advance(Step along);
  bool near_convergence(double /*gap*/, double /*tolerance*/) const { return true; }
  bool keep_best(double tolerance);

  // The best bound, and the point it came with.
  const Multipliers& multipliers() const { return best_; }
  double bound() const { return best_bound_; }
  double ambiguity_price() const { return risk_.ambiguity_price(); }  ///< now
  double gap() const { return best_gap_; }
  const Slice& state_prices() const { return best_xi_; }
  const Slice& prices() const { return best_price_; }
  const Slice& demand() const { return best_demand_; }
  int columns() const { return columns_; }
  void forget();

 private:
  const double* payoff(int k) const { return &market_.payoffs(k, 0); }
  void losses();
  void price_out();
  void factor_dense();
  void add_coupling();
  void apply_curvature(const Slice& demand, Slice& value);
  void solve_inner(Slice& x) const;
  void solve_outer(Slice& x) const;
  double inner_diagonal(int k) const;
  void solve_coupled();

  const ScaledMarket& market_;
  const std::vector<Corners>& corners_;
  StatePriceBlock states_;
  CornerBlock hulls_;
  RiskBlock risk_;
  const Box* box_ = nullptr;
  const Multipliers* near_ = nullptr;  // to start from
  double incumbent_ = -kInfinity;
  double branch_share_ = 0.0;
  const bool many_;  // claims, and no sets
  double start_ = 1.0;
  double tau_ = 1.0;
  double bound_ = kInfinity;
  int columns_ = 0;

  Slice base_;                          // (states) losses without trade, less their maximum
  Slice loss_, dloss_;                  // (states)
  Slice value_, dvalue_;                // (claims) G
  Slice scale_, slope_;                 // (claims) s and b
  Slice ddemand_, e_, f_, step_value_;  // (claims)
  Slice bend_;                          // (claims) H times a change of demand
  Slice projection_;                    // (root_size)
  MatrixSlice roots_;                   // (claims, root_size) H = roots roots'
  MatrixSlice scaled_roots_;
  MatrixSlice inner_, outer_, inverse_rows_;  // (claims, claims), the last one scratch
  SemidefiniteCholesky inner_factor_, outer_factor_;
  std::optional<DisjointCurvature> disjoint_inner_;  // in the place of matrices and factors
  std::optional<DisjointPrices> disjoint_outer_;
  std::unique_ptr<StepSystem> system_;  // both, in the place of inner and outer
  std::optional<NarrowSystem> narrow_;  // both, in the place of inner and outer
  Slice column_;                        // (claims)
  Slice prior_value_;                   // (claims) at the prior's prices

  Multipliers trial_, best_;
  double best_bound_ = kInfinity, best_gap_ = kInfinity;
  Slice best_xi_, best_price_, best_demand_;
};

}  // namespace kpm
