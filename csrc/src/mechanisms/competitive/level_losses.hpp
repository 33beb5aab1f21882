// Demand at which the losses in the worst states are equal.
#pragma once

#include <vector>

#include "mechanisms/competitive/point.hpp"

namespace kpm {

/// Move the demand on steps, least, to where the losses of all states with a price are alike, and
/// give the others the prices that they have there: the last digits of the demand of a maker whose
/// prices change within their rounding, for whom C is all but the greatest loss.
void level_losses(const Auction& auction, MakerFunction& function, AuctionPoint& point);

/// The same for functions that tie and are linear. Claims whose prices are on a limit, within
/// `near`, are on its step, whatever their demand on it, and all others on their rungs: by
/// prices alone, since of many small orders the demand that the program finds has too few digits.
void level_functions(const Auction& auction, const std::vector<int>& tied, double near,
                     AuctionPoint& point);

}  // namespace kpm
