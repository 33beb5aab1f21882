// What the published support proves of the cell that clears.
#pragma once

#include <vector>

#include "book/scaled_market.hpp"
#include "book/staircase.hpp"
#include "selection/selection.hpp"

namespace kpm {

/// The bound (docs/theory.md) that the worst case, marginal state prices and multipliers of a
/// choice prove on its own cell, scaled money: O(K N), nothing allocated.
double cell_bound(const ScaledMarket& market, const std::vector<Staircase>& stairs,
                  const Choice& choice);

}  // namespace kpm
