// The prices of a cell: a linear program in the state prices.
#pragma once

#include <optional>

#include "book/scaled_market.hpp"
#include "cell/hull.hpp"
#include "ipm/disjoint_system.hpp"
#include "ipm/narrow_system.hpp"
#include "ipm/predictor_corrector.hpp"
#include "numerics/arena.hpp"
#include "numerics/dense.hpp"
#include "numerics/semidefinite_cholesky.hpp"

namespace kpm {

/// maximise  sum y_k pi_k  over the flats  subject to  pi = P xi,  pi_k within its range, xi on the
/// simplex. Steps take part with their price fixed. Multipliers lambda of pi = P xi and tau of the
/// simplex, slacks  s = tau + P' lambda >= 0,  xi s -> 0.  A step is reduced to the prices:
///   P dxi = residual - gram dlambda.
/// The prior as starting point is feasible except for the price ranges; a strictly feasible xi need
/// not exist. Cost per iteration: O(K^2 N + K^3), no transcendental function; O(N + K) where claims
/// pay on disjoint sets of states, O(K N^2) where there are many more claims than states.
class PriceProgram {
 public:
  PriceProgram(const ScaledMarket& market, Arena& arena);

  void load(const Hull& hull);

  // What the predictor-corrector loop calls.
  void start(const Attempt& attempt);
  void update_residuals();
  void factor();
  void set_affine_rhs();
  void set_combined_rhs(double tau, bool second_order);
  void set_centering_rhs(double tau);
  void direction();
  double complementarity(Step along) const;
  double degree() const { return 1.0 + ranges_.degree(); }
  double nonlinearity() const { return 0.0; }
  Step max_step(double share) const;
  Step shorten(Step along) const { return along; }
  void advance(Step along);
  bool near_convergence(double gap, double tolerance) const { return near_the_end(gap, tolerance); }
  bool keep_best(double tolerance);

  // The best point so far.
  double state_price(Eigen::Index i) const { return states_[i].best_xi; }
  double multiplier(Eigen::Index k) const { return claims_[k].best_lambda; }
  double largest_multiplier() const;
  double merit() const { return merit_; }
  double primal_residual() const { return best_primal_residual_; }
  double dual_residual() const { return best_dual_residual_; }
  void forget() { merit_ = kInfinity; }

 private:
  struct State {
    double weight;  // of xi s among the products: the prior, but no state negligible
    double xi, s, dxi, ds;
    double target;  // of xi s, less the product
    double scaling, root_scaling, rs, k, push;
    double best_xi;
  };
  struct Claim {
    int slot;       // place in ranges_, -1 where the price is fixed
    double demand;  // y on flats, 0 on steps: their revenue is not decided here
    double price;   // pi
    double lambda, dlambda;
    double mean, coupling;
    double best_lambda;
  };

  void value_claims();
  void factor_disjoint(DisjointPrices& system);
  void value_steps();
  void push_states();
  double bound() const;
  double objective() const;

  const ScaledMarket& market_;
  IntervalBlock ranges_;  // prices of the flats that have one to choose
  Span<State> states_;
  Span<Claim> claims_;
  double tau_ = 0.0, dtau_ = 0.0;
  double start_ = 1.0;

  MatrixSlice scaled_;  // (claims, states) centred payoffs times the root of the scaling
  MatrixSlice matrix_;  // (claims, claims)
  Slice column_;        // (claims)
  SemidefiniteCholesky factor_;
  std::optional<DisjointPrices> disjoint_;  // in the place of matrices and factor
  Slice weight_, alone_;                    // (states), (claims) for it
  std::optional<NarrowSystem> narrow_;      // the same, with alone_, none_ and nothing_
  MatrixSlice none_;                        // (claims, 0)
  Slice nothing_, unused_;                  // (claims) zero
  double total_scaling_ = 1.0, normalisation_ = 0.0;
  double primal_residual_ = 0.0, dual_residual_ = 0.0;
  Products products_;
  Step inverse_step_;

  double merit_ = kInfinity, best_primal_residual_ = 0.0, best_dual_residual_ = 0.0;
};

}  // namespace kpm
