// The prices of a cell: a linear program in the state prices.
#pragma once

#include "ipm/hull.hpp"
#include "ipm/predictor_corrector.hpp"
#include "model/scaled_market.hpp"
#include "numerics/dense.hpp"

namespace kpm {

/// maximise  sum y_k pi_k  over the flats  subject to  pi = P xi,  pi_k within its range, xi on the
/// simplex. Steps take part with their price fixed. Multipliers lambda of pi = P xi and tau of the
/// simplex, slacks  s = tau + P' lambda >= 0,  xi s -> 0.  A step is condensed to the prices:
///   P dxi = residual - gram dlambda.
/// The prior starts feasible but for the price ranges; a strictly feasible xi need not exist.
/// Cost per iteration: O(K^2 N + K^3), no transcendental function.
class PriceProgram {
 public:
  explicit PriceProgram(const ScaledMarket& market);

  void load(const Hull& hull);

  // What the predictor-corrector loop calls.
  void start(const Attempt& attempt);
  void factor();
  void target_predictor();
  void target_corrector(double tau, bool second_order);
  void target_centre(double tau);
  void direction();
  double complementarity(Step along) const;
  double weight() const { return 1.0 + ranges_.weight(); }
  double nonlinearity() const { return 0.0; }
  Step max_step(double share) const;
  Step shorten(Step along) const { return along; }
  void advance(Step along);
  bool watch(double gap, double tolerance) const { return near_the_end(gap, tolerance); }
  bool keep_best(double tolerance);

  // The best point so far.
  const Array& state_prices() const { return best_xi_; }
  const Array& multipliers() const { return best_lambda_; }
  double merit() const { return merit_; }
  double primal_residual() const { return best_primal_residual_; }
  double dual_residual() const { return best_dual_residual_; }
  void forget() { merit_ = kInfinity; }

 private:
  double bound() const;
  double objective() const;

  const ScaledMarket& market_;
  IntervalBlock ranges_;   // prices of the flats that have one to choose
  std::vector<int> slot_;  // (claims) place in ranges_, -1 where the price is fixed
  Array demand_;           // (claims) y on flats, 0 on steps: their revenue is not decided here
  Array price_;            // (claims) pi

  Array weight_;  // (states) of xi s among the products: the prior, but no state negligible
  Array xi_, s_, dxi_, ds_, target_;  // (states)
  Array lambda_, dlambda_;            // (claims)
  double tau_ = 0.0, dtau_ = 0.0;
  double start_ = 1.0;

  Array scaling_, rs_, k_, push_;  // (states)
  Array mean_, coupling_;          // (claims)
  Matrix scaled_, matrix_;
  SemidefiniteCholesky factor_;
  Vector column_;
  double total_scaling_ = 1.0, normalisation_ = 0.0;
  double primal_residual_ = 0.0, dual_residual_ = 0.0;

  Array best_xi_, best_lambda_;
  double merit_ = kInfinity, best_primal_residual_ = 0.0, best_dual_residual_ = 0.0;
};

}  // namespace kpm
