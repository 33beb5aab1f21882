// Steps between whose ends the maker's cost is all but flat.
#pragma once

#include "mechanisms/competitive/point.hpp"
#include "risk/maker_function.hpp"

namespace kpm {

/// Limits that add up to a claim that pays surely cannot all be prices while another state has a
/// price, however small: demand along which the losses of all states but such rise alike changes
/// the cost by those states' prices alone, and what rounding leaves of the other states' hides
/// them. Demand goes that way, by these prices, to where they ask for no more or all its steps but
/// one are at an end, on their rungs. False if no demand moves.
bool climb_flat_steps(const Auction& auction, MakerFunction& function, AuctionPoint& point);

}  // namespace kpm
