// The clearing in which the maker takes no part.
#pragma once

#include "book/canonical_order.hpp"
#include "kpm/kpm.hpp"

namespace kpm {

/// `clearing`, in the caller's order, unless it is worth less than no trade by more than a
/// tie is: numbers of very different sizes may leave a search nothing better. Then it becomes the
/// one that costs the maker nothing, however large the numbers are, because every claim's net
/// demand is zero: where state prices reach the pieces on which it can be. They do unless orders
/// for several claims cross in such a way that some must trade with the maker.
void lose_nothing(const CanonicalBook& book, const Orders& orders, const ClearSettings& settings,
                  Clearing& clearing);

}  // namespace kpm
