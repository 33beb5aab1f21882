// Which optimum of an auction is published: fills and state prices by written rules.
#pragma once

#include <cstdint>
#include <vector>

#include "book/staircase.hpp"
#include "mechanisms/competitive/point.hpp"

namespace kpm {

/// Which of the demands that are equally good is published (docs/selection.md).
enum class FaceRule : std::uint8_t {
  kLeastRegret,    ///< what disappoints the traders at the clearing prices least
  kGreatestPayout  ///< PDCA's: what pays out most, and of that the least regret
};

/// Among the optimal demands the one that `rule` asks for. Directions are open along which the
/// losses of all states with a price (of all tied vertices, for a polytope without risk aversion)
/// move alike; the others may not come to matter. `tie` is the scaled money that the choice may
/// cost at most.
void choose_demand(const Auction& auction, const std::vector<Staircase>& stairs,
                   const std::vector<int>& tied, FaceRule rule, MakerFunction& function, double tie,
                   AuctionPoint& point);

/// Among the state prices that support the demand at a kink: nearest to the prior in KL; for the
/// worst-state maker those with the largest sum of logarithms, the limit of CPCAM as its starting
/// orders vanish in proportion to the prior (Theorem 2). For a polytope the
/// mixture of its tied vertices with the largest sum of logarithms of weights, over those that can
/// have any. True where the rule
/// has been applied.
bool choose_prices(const Auction& auction, const std::vector<int>& tied, MakerFunction& function,
                   AuctionPoint& point);

}  // namespace kpm
