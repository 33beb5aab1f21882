// Polishing the interior-point method's answer to the last digit.
#pragma once

#include "mechanisms/competitive/auction_program.hpp"
#include "mechanisms/competitive/point.hpp"

namespace kpm {

/// Newton's method on the optimality conditions of the pieces that the interior-point method found,
///   P_k.g = limit on every step,   y_k at its rung elsewhere,
/// with the exact gradient; a claim whose demand leaves its step goes to its end, one whose price
/// leaves its rung's range to the step there. Where C is the maximum of several functions the
/// conditions are those of the maximum: their costs are equal and their weights add up to one.
/// What it arrives at counts if it proves no worse than where it began; `tied` is what ties there.
AuctionPoint polish(const Auction& auction, AuctionProgram& program, MakerFunction& function,
                    std::vector<int>& tied);

}  // namespace kpm
