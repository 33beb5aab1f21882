// Which functions share in a maker's cost at a kink.
#pragma once

#include <vector>

#include "mechanisms/competitive/auction_program.hpp"
#include "mechanisms/competitive/point.hpp"

namespace kpm {

/// The functions that share in the maximum at a kink: states for a Knightian maker and the worst
/// state, vertices for a polytope. Empty where C is smooth: a ball of priors is while its radius
/// has a price, unless `kink` says that this price is nothing but rounding.
std::vector<int> tied_functions(const Auction& auction, const AuctionProgram& program, bool kink);

}  // namespace kpm
