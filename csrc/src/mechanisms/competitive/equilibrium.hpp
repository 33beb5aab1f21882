// The competitive equilibrium as a clearing of (8).
#pragma once

#include <vector>

#include "book/scaled_market.hpp"
#include "book/staircase.hpp"
#include "numerics/checkpoint.hpp"
#include "search/candidate.hpp"

namespace kpm {

/// Everybody trades at the maker's own marginal state prices, which obey the limit order logic and
/// leave the maker no worse than no trade (theorem A): a clearing of (8), though seldom the best.
/// It costs one convex program, (6), and not a search. Where the checkpoint ends it, what is traded
/// at the best prices on the way, which may lose money.
Candidate find_equilibrium(const ScaledMarket& market, const std::vector<Staircase>& stairs,
                           Checkpoint& checkpoint);

}  // namespace kpm
