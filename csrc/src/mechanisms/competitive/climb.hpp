// The optimum of an auction from a point close to it, whatever the maker's aversion.
#pragma once

#include "mechanisms/competitive/point.hpp"

namespace kpm {

/// Newton's method on the demands, with the curvature of where it stands and a search along each
/// step: for makers so averse that their prices change altogether within the accuracy to which the
/// interior-point method finds demands. What is maximised is concave, so that a step is good until
/// its slope turns negative: slopes keep their digits where values no longer differ. A claim whose
/// demand reaches an end of its step stays there, with `rungs` until its price leaves the rung's
/// range: what rounding leaves of a price may say so wrongly.
/// The point whose prices miss the ranges of their pieces least.
AuctionPoint climb(const Auction& auction, MakerFunction& function, AuctionPoint point, bool rungs);

}  // namespace kpm
