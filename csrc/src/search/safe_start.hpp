// A clearing worth at least no trade, and a bound, before anything is searched.
#pragma once

#include <vector>

#include "book/corners.hpp"
#include "cell/demand_program.hpp"
#include "cell/hull.hpp"
#include "numerics/checkpoint.hpp"
#include "risk/dual_bound.hpp"
#include "risk/risk_measure.hpp"
#include "search/candidate.hpp"

namespace kpm {

/// Every clearing at prices P xi earns at least
///     no trade + (xi - g).P'y,     g the maker's marginal state prices once it has traded y,
/// because rho is convex: where xi = g, a competitive equilibrium, nothing is lost. Prices follow
/// the maker's marginal ones, at one or two matrix products per step, until the trades at them are
/// worth at least no trade. Where the steps of the staircases are too coarse for that, the
/// pay-as-bid problem (6),
///     maximise  sum_k B_k(y_k) - rho(P'y - w),     B_k(y) the area under claim k's staircase,
/// is solved: its demand is the equilibrium's (docs/theory.md, theorem A). By one convex program
/// where that suffices (mechanisms/competitive/equilibrium.hpp), here step by step, down to kinks
/// that the program's prices miss.
class SafeStart {
 public:
  SafeStart(const ScaledMarket& market, const std::vector<Corners>& corners);

  /// The certainty equivalent of the inventory.
  double no_trade() const { return no_trade_; }

  /// Prices that follow the maker's: the best clearing seen, even if worth less than no trade.
  Candidate follow();

  /// The cell of a competitive equilibrium, which state prices reach; where it takes too long to
  /// find, the last on the way to it. The checkpoint is passed before each iteration.
  std::vector<int> equilibrium(Checkpoint& checkpoint);

  /// The best multipliers met on the way; their lambda is zero, as between equal prices.
  const Multipliers& multipliers();

 private:
  double evaluate(const Array& state_prices);
  double solve_steps(DemandProgram& steps, Checkpoint& checkpoint);
  void support();
  void owe();
  void take_bound();
  bool move(std::vector<int>& cell);

  const ScaledMarket& market_;
  const std::vector<Corners>& corners_;
  Arena arena_;
  RiskMeasure measure_;
  std::vector<int> cell_;  // of the prices at hand, all on flats
  Array demand_, price_, loss_, worst_case_, marginal_;
  double rho_ = 0.0;
  double divergence_ = 0.0;
  double no_trade_ = 0.0;
  Multipliers multipliers_, trial_;
  double bound_ = kInfinity;
};

}  // namespace kpm
