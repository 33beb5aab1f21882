// The demand of a maker to whom the worst states are all that counts.
#pragma once

#include "mechanisms/competitive/point.hpp"

namespace kpm {

/// Move the demand on steps, least, to where the losses of all states with a price are alike, and
/// give the others the prices that they have there: the last digits of the demand of a maker whose
/// prices change within their rounding, for whom C is all but the greatest loss.
void level_losses(const Auction& auction, MakerFunction& function, AuctionPoint& point);

}  // namespace kpm
