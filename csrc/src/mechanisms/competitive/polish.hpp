// From the interior-point method's answer to the last digit.
#pragma once

#include "mechanisms/competitive/auction_program.hpp"
#include "mechanisms/competitive/point.hpp"

namespace kpm {

/// Newton's method on the optimality conditions of the pieces that the interior-point method found,
///   P_k.g = limit on every step,   y_k at its rung elsewhere,
/// with the exact gradient; a claim whose demand leaves its step goes to its end, one whose price
/// leaves its rung's range to the step there. Where C is the maximum of several functions the
/// conditions are those of the maximum: their costs are equal and their weights add up to one.
/// What it arrives at counts if it proves no worse than where it began.
AuctionPoint polish(const Auction& auction, AuctionProgram& program, MakerFunction& function,
                    const std::vector<int>& tied);

/// The functions that share in the maximum at a kink: states for a Knightian maker and the worst
/// state, vertices for a polytope. Empty where C is smooth: a ball of priors is while its radius
/// has a price, unless `kink` says that this price is nothing but rounding.
std::vector<int> tied_functions(const Auction& auction, const AuctionProgram& program, bool kink);

/// By how much the prices of a point miss the ranges of its pieces, of the payoff range.
double missed_by(const Auction& auction, const AuctionPoint& point);

}  // namespace kpm
