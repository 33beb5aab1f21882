// What the published support proves of the cell that clears.
#pragma once

#include <cstddef>
#include <vector>

#include "book/corners.hpp"
#include "book/scaled_market.hpp"
#include "book/staircase.hpp"
#include "risk/dual_bound.hpp"
#include "selection/selection.hpp"

namespace kpm {

/// Price of a corner in money: piece j joins corners j and j + 1, and limit l is the price of
/// corners 2 l + 1 and 2 l + 2.
double corner_price(const Staircase& claim, std::size_t corner);

/// The worst case, marginal state prices and multipliers of a choice, as they bound
/// (docs/theory.md) what may clear.
Multipliers support_of(const ScaledMarket& market, const Choice& choice);

/// What they bound the choice's own cell by, scaled money.
double cell_bound(const Multipliers& support, const ScaledMarket& market,
                  const std::vector<Staircase>& stairs, const Choice& choice);

}  // namespace kpm
