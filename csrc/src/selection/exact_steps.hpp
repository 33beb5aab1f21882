// The demand of a cell's steps to the digits that its optimum has.
#pragma once

#include <vector>

#include "book/scaled_market.hpp"
#include "cell/cell_optimum.hpp"
#include "numerics/checkpoint.hpp"
#include "risk/risk_measure.hpp"

namespace kpm {

/// A step of a cell: claim, limit and the range of its demand, scaled.
struct StepRange {
  int claim;
  double price, low, high;
};

/// An interior-point method stops when nothing is to be gained. Where the risk curves little -- a
/// maker of next to no aversion, states of tiny price -- demand is still far from the optimum then,
/// and where it stopped depends on the way there. Newton's method, with a quadratic program over
/// the ranges of the steps in each iteration, goes on to where the rounding of state prices hides
/// what is left. Directions in which that leaves all of a step open are not followed. Demand that
/// all but lies at the optimum stays as it is, and so does all where the risk has a kink.
///
/// Returns whether the demand of `steps`, in `demand` (claims), was changed.
bool settle_steps(const ScaledMarket& market, const std::vector<StepRange>& steps,
                  const CellOptimum& solution, const Array& value, RiskMeasure& measure,
                  Checkpoint& checkpoint, Array& demand);

}  // namespace kpm
