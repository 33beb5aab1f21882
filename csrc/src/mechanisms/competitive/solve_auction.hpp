// An auction in scaled units, from its ladders to the optimum that is published.
#pragma once

#include <cstdint>
#include <vector>

#include "book/staircase.hpp"
#include "mechanisms/competitive/point.hpp"
#include "mechanisms/competitive/published.hpp"

namespace kpm {

/// The optimum of the scaled auction that is published.
struct SolvedAuction {
  AuctionPoint point;
  std::vector<int> tied;
  std::int64_t iterations = 0;
  bool chosen = true;    ///< whether the rules for prices could be applied
  bool stopped = false;  ///< whether it was stopped: the point is one on the way
};

/// The maker without trade.
struct Idle {
  double worth = 0.0;  ///< -C
  Array g, p;    ///< (states) marginal state prices, one of several at a kink, and their prior
  Array prices;  ///< (claims) under g: where to begin
};

Idle find_idle(const ScaledMarket& market, MakerFunction& function);

/// What the traders want at these state prices.
AuctionPoint best_answer(const Auction& auction, const ArrayView& g, const ArrayView& p,
                         MakerFunction& function);

/// Fills that obey every limit, and a bound that holds, without solving anything: what the traders
/// want at the maker's prices without trade, or no trade if that is better and prices alone can
/// make it.
AuctionPoint point_before_solving(const Auction& auction, const std::vector<Staircase>& stairs,
                                  const Idle& idle, MakerFunction& function);

/// Stopped, it returns the best of the answers to some of the state prices on its way and the
/// point before solving.
SolvedAuction solve_auction(const Auction& auction, const std::vector<Staircase>& stairs,
                            const Idle& idle, int max_iterations, FaceRule face,
                            MakerFunction& function);

}  // namespace kpm
