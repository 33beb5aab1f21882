// Whether demand next to the end of a step belongs at that end.
#pragma once

#include <vector>

#include "book/scaled_market.hpp"
#include "book/staircase.hpp"
#include "cell/cell_solver.hpp"
#include "selection/demand_rule.hpp"

namespace kpm {

/// Demand may be left next to the end of a step, where a move there alone costs too much or the
/// cell was solved coarsely. The cell with the flats beside these steps in their place is the one
/// that is meant if it is worth as much and its own support says that the maker loses clearly
/// inside the steps.
class NearEnds {
 public:
  NearEnds(const ScaledMarket& market, const std::vector<Staircase>& stairs)
      : market_(market), stairs_(stairs) {}

  /// That cell; empty where no demand is so near an end.
  std::vector<int> flats(const ChosenDemand& chosen) const;

  /// Whether the risk curves so much about the chosen demand, which the optimum supports, that no
  /// clearing of the flats is worth `value` but for a tie. It takes a small share of a cell's time.
  bool rules_out(const std::vector<int>& flats, const ChosenDemand& chosen,
                 const CellOptimum& optimum) const;

  /// Whether the flats, solved, are meant.
  bool is_meant(const std::vector<int>& flats, const std::vector<int>& cell,
                const CellOptimum& solved, double value) const;

 private:
  const Staircase& claim(int k) const {
    return stairs_[static_cast<std::size_t>(market_.original[static_cast<std::size_t>(k)])];
  }

  const ScaledMarket& market_;
  const std::vector<Staircase>& stairs_;
};

}  // namespace kpm
