// A claim's book without what its orders trade with each other.
#pragma once

#include <cstddef>
#include <optional>

#include "book/staircase.hpp"

namespace kpm {

/// The same net demand at every price, counted from where the claim's bids and offers meet: bids
/// above it and offers below it have traded, so that a bid there is an offer to give it back, and
/// an offer a bid. What the maker sees of the book is unchanged, but for the rounding that vast
/// quantities on both sides leave in their difference.
struct Netting {
  Staircase staircase;  ///< limits and pieces as before
  int limit = -1;       ///< on which they meet; -1: between two limits
};

/// Empty unless a bid of more than `giant` stands at an offer of more than that, or above it, and
/// unless they meet in the claim's price range.
std::optional<Netting> net_giants(const Staircase& claim, double giant);

/// The same, counted from where net demand is `base`; empty if it is nowhere within `giant` of it.
std::optional<Netting> count_from(const Staircase& claim, double base, double giant);

/// The demand of the bids above limit l less the offers below it and `base`, to the last digit.
double net_beside(const Staircase& claim, std::size_t limit, double base = 0.0);

}  // namespace kpm
