// A trial clearing with giant orders scaled down, which shows on which pieces they trade.
#pragma once

#include <vector>

#include "book/scaled_market.hpp"
#include "book/staircase.hpp"
#include "selection/selection.hpp"

namespace kpm {

/// Beside giants that trade with each other everything else is lost in rounding, and a maker whose
/// aversion counts in their units may find no clearing at all. Scaled down in proportion, they
/// trade at the same prices: the pieces of the clearing are those of the whole book.
std::vector<Staircase> shrink_giants(const Market& market, const std::vector<Staircase>& whole);

/// The demand of the whole book, by claim, on the pieces chosen in the small one: that of the
/// flats, and on the steps what leaves the least risk.
std::vector<double> enlarge(const ScaledMarket& market, const std::vector<Staircase>& whole,
                            const std::vector<Staircase>& small, const Choice& choice);

}  // namespace kpm
