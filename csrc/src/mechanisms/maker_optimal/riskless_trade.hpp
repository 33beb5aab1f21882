// What giants of several claims trade with each other through the maker.
#pragma once

#include <optional>
#include <vector>

#include "book/staircase.hpp"
#include "kpm/kpm.hpp"
#include "mechanisms/maker_optimal/tradable_book.hpp"
#include "numerics/stop_token.hpp"

namespace kpm {

/// A demand y0 that pays the same in every state, P'y0 = c, earns c at any state prices: it costs
/// the maker nothing. Examples are complements bid for together, a complete set, and a claim
/// against its parts. Counting demand from y0 leaves (8) unchanged,
///     pi.y - rho(P'y - w)  =  pi.(y - y0) - rho(P'(y - y0) - w),
/// and its sums do not lose the digits that a vast y0 costs them. Multipliers are less by y0.
///
/// What is looked for is such a y0 near the demand, in the claims that make up all but 1e-3 of its
/// notional. Payoffs in small whole proportions to each other have one.
///
/// The book with net demand counted from it: orders that have traded there are offers to give back,
/// or bids to take back. Limits and pieces as before.
struct CountedBook {
  std::vector<double> riskless;  ///< (claims) y0, shares, exact
  std::vector<Staircase> stairs;
  TradableBook tradable;  ///< the counted book without quantities that cannot trade in it
};

/// From what giants trade with each other in a clearing with this net demand; empty if that is not
/// riskless, or does not leave a smaller book, or if there is no time.
std::optional<CountedBook> count_from_riskless(const Market& market,
                                               const std::vector<Staircase>& stairs,
                                               const std::vector<double>& demand, StopToken& token);

}  // namespace kpm
