// Clearing a book by a convex rule whose staircases are at hand.
#pragma once

#include <vector>

#include "book/staircase.hpp"
#include "kpm/auction.hpp"

namespace kpm {

/// What clear_auction() does once the book is compiled. The staircases are as before once it
/// returns, and lost if it throws.
AuctionClearing clear_compiled_auction(const Market& market, const MakerModel& maker,
                                       const Orders& orders, std::vector<Staircase>& stairs,
                                       const AuctionSettings& settings);

}  // namespace kpm
