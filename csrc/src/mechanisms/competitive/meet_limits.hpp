// State prices that meet the limits of all steps.
#pragma once

#include "mechanisms/competitive/point.hpp"

namespace kpm {

/// The last digits of prices that losses cannot carry: where g changes by far more than L (little
/// wealth, small starting orders), g is moved by the least relative change that makes every step's
/// price its limit. With `fade` a state that the limits leave no price loses it by and by; without,
/// g stays where any of it would halve or double.
void meet_limits(const Auction& auction, bool fade, AuctionPoint& point);

}  // namespace kpm
