// The choice among optimal net demands.
#pragma once

#include <vector>

#include "book/scaled_market.hpp"
#include "book/staircase.hpp"
#include "cell/cell_optimum.hpp"
#include "numerics/checkpoint.hpp"
#include "risk/risk_measure.hpp"
#include "selection/open_steps.hpp"

namespace kpm {

/// A cell and the demand chosen in it, in scaled units.
struct ChosenDemand {
  std::vector<int> cell;  ///< (claims) a step only where its demand lies strictly inside
  Array demand;           ///< (claims)
};

/// The rule (docs/selection.md): among the optimal demands of a cell, the one that disappoints the
/// traders at the clearing prices least,
///     minimise  sum over step claims of (unfilled bids)^2 / bids + (unfilled offers)^2 / offers,
/// in money. Strictly convex in the fills, so unique; equal fractions for equal claims. Demand at
/// the end of a step belongs to the adjacent flat, which leaves the prices more freedom.
class DemandRule {
 public:
  /// The checkpoint is passed by choose(), which may be abandoned.
  DemandRule(const ScaledMarket& market, const std::vector<Staircase>& stairs, Arena& arena,
             Checkpoint& checkpoint);

  /// Choose from the solution of `cell`. `tie` is the money the choice may cost at most.
  ChosenDemand choose(const CellOptimum& solution, const std::vector<int>& cell, double tie);

  /// rho of a demand.
  double risk(const Array& demand);

  /// What a cell's steps pay for a demand of theirs.
  double revenue(const Array& demand, const std::vector<int>& cell) const;

 private:
  struct Step : OpenStep {
    double price;  // the limit
    bool wanted;   // the maker wants its end, and demand is all but there
    double end;
  };

  struct Move {
    int claim;
    double end;
  };

  Step step(int claim, int piece) const;
  const Staircase& stairs(int claim) const;
  double value(const Array& demand, const std::vector<int>& cell);
  void move_to_ends(const std::vector<Move>& moves, const std::vector<int>& cell, double tie,
                    Array& demand);
  std::vector<int> counting_states(const CellOptimum& solution) const;
  Eigen::MatrixXd equal_losses(const std::vector<int>& states,
                               const std::vector<OpenStep>& open) const;
  Matrix free_directions(const std::vector<int>& states, const std::vector<OpenStep>& open) const;
  Matrix open_directions(const CellOptimum& solution, const std::vector<OpenStep>& open) const;
  void choose_open(const CellOptimum& solution, const std::vector<int>& cell,
                   const std::vector<OpenStep>& open, double tie, Array& demand);
  void equalise_losses(const CellOptimum& solution, const std::vector<int>& cell,
                       const std::vector<Step>& steps, Array& demand);

  const ScaledMarket& market_;
  const std::vector<Staircase>& stairs_;
  Checkpoint& checkpoint_;
  RiskMeasure measure_;
};

}  // namespace kpm
