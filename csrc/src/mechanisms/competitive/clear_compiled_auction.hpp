// Clearing, by a convex rule, of a book whose staircases are already compiled.
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
