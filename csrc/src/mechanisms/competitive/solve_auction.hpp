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
  bool stopped = false;  ///< whether it was told to stop: the point is one on the way
};

/// `prices` of the claims where to begin, such as those without trade. Told to stop, it returns the
/// best answer to the state prices of where it was, or to those without trade if that proves more:
/// fills that obey every limit, and a bound that holds.
SolvedAuction solve_auction(const Auction& auction, const std::vector<Staircase>& stairs,
                            const ArrayView& prices, int max_iterations, FaceRule face,
                            MakerFunction& function);

}  // namespace kpm
