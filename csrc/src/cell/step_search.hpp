// The best demand on the only step of a cell, and its dual variables.
#pragma once

#include "book/scaled_market.hpp"
#include "cell/hull.hpp"
#include "numerics/arena.hpp"
#include "risk/risk_measure.hpp"

namespace kpm {

/// Where all other demand is given, rho is a convex function of one number: the sign of
///     pi - P.g
/// tells on which side of a demand the optimum lies, and bisection finds it to the last digit. At a
/// kink the dual variables of the two sides are mixed until they value the claim at its price: the
/// mixture supports both. Slower than the interior-point method, but exact where that one stops
/// short.
class StepSearch {
 public:
  StepSearch(const ScaledMarket& market, Arena& arena);

  /// `base`: the losses without the step. Scaled units.
  void run(const double* payoffs, double price, Range range, const Slice& base,
           RiskMeasure& measure);

  // Valid after run().
  double demand() const { return demand_; }
  double worth() const { return worth_; }  ///< revenue of the step less rho
  double divergence() const { return divergence_; }
  double ambiguity_price() const { return ambiguity_price_; }
  const Slice& worst_case() const { return p_; }
  const Slice& marginal_state_prices() const { return g_; }

 private:
  /// One demand, and what supports it.
  struct Side {
    Span<double> p, g;  // (states)
    double demand = 0.0;
    double slope = 0.0;  // what one more share earns
    double worth = 0.0;
    double ambiguity_price = 0.0;
  };

  void look(double demand, Side& side);

  const ScaledMarket& market_;
  Side below_, above_, middle_;
  Slice loss_, p_, g_;  // (states)

  // The arguments of run().
  const double* payoffs_ = nullptr;
  const Slice* base_ = nullptr;
  RiskMeasure* measure_ = nullptr;
  double price_ = 0.0;

  double demand_ = 0.0;
  double worth_ = 0.0;
  double divergence_ = 0.0;
  double ambiguity_price_ = 0.0;
};

}  // namespace kpm
