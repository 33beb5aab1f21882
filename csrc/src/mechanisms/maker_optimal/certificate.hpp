// The published proof: leaves of the tree in the caller's units.
#pragma once

#include <vector>

#include "book/presolve.hpp"
#include "book/staircase.hpp"
#include "book/traded_market.hpp"
#include "kpm/kpm.hpp"
#include "mechanisms/maker_optimal/tradable_book.hpp"
#include "numerics/checkpoint.hpp"
#include "search/tree/node.hpp"

namespace kpm {

struct Proof {
  Certificate certificate;
  double rounding;  ///< by how much terms may hide more than its bound, money: a checker counts it
};

/// What is proven is the presolved book: a claim merged into another has no orders of its own
/// there, one piece in every leaf and multiplier zero, as a claim has that took no part in the
/// search. Limits of merged claims stay apart, so that the numbers of pieces do not depend on which
/// of them are taken for one. Bounds are computed anew from the caller's figures by the
/// Donsker-Varadhan inequality, and worst cases that rounding has put outside the KL ball are moved
/// into it. Where the search had a book with quantities cut (`tradable`), the bounds are of the
/// whole book, `stairs`: what was cut must lie outside the marginal state prices then, by
/// kPriceRounding at least, so a small share of the state prices that it was cut by is mixed in.
/// Where that puts a leaf's bound above the search's, by more than kTie, the leaf is divided: what
/// was cut, and no clearing as good trades, into leaves of its own. Multipliers are those of demand
/// from nothing on, where the staircases count it from a riskless trade. The checkpoint is passed
/// before each leaf.
Proof certify(const Market& market, const TradedMarket& traded, const Presolve& book,
              const std::vector<Staircase>& stairs, const TradableBook* tradable,
              const std::vector<double>& riskless, const std::vector<Node>& leaves,
              Checkpoint& checkpoint);

/// One leaf: what the support of a clearing proves of the whole book, `stairs`, by itself.
Proof certify_whole(const TradedMarket& traded, const std::vector<Staircase>& stairs,
                    const Multipliers& support);

}  // namespace kpm
