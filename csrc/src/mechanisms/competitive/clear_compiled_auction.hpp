// Clearing a book by a convex rule whose staircases are at hand.
#pragma once

#include <vector>

#include "book/staircase.hpp"
#include "kpm/auction.hpp"

namespace kpm {

/// What clear_auction() does once the book is compiled.
AuctionClearing clear_compiled_auction(const Market& market, const MakerModel& maker,
                                       const Orders& orders, const std::vector<Staircase>& stairs,
                                       const AuctionSettings& settings);

}  // namespace kpm
