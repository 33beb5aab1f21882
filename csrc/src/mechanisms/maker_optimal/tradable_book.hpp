// The book without what nobody could trade of it.
#pragma once

#include <optional>
#include <vector>

#include "book/scaled_market.hpp"
#include "book/staircase.hpp"
#include "kpm/kpm.hpp"

namespace kpm {

/// Quantities that stand at a limit, one after the other: (claim, limit, side), and on each side of
/// a claim what trades at every price. Notional is money: payoff range times quantity.
struct Levels {
  explicit Levels(const std::vector<Staircase>& stairs);

  std::vector<double> notional;  ///< all of them, those at a limit first
  double largest = 0.0;          ///< of those at a limit

  /// Together, the smaller half of them (one at least); 1 if there is none. What one order can
  /// raise at most to the next larger level, and hardly lower.
  double smaller_half() const;
  double median() const;
};

/// A book in which quantities that dwarf the rest are cut to a multiple of what could trade of
/// them. It has the same optimal clearings. For any state prices g, a clearing that pays every
/// order its limit is worth at most
///
///     D(g) = sum_k F_k(P_k.g) + g.w + KL(g|q) / alpha,
///
/// F_k the surplus of the orders inside g's price (Donsker-Varadhan with p = q), less m x if an
/// order m outside of it fills x. Uniform prices pay the maker no more, and no optimum is below no
/// trade: so x <= (D(g) - no trade) / m. Here it is cut to twice that, or more. In the cut book,
/// to which the same applies, an order that is filled in full is no optimum, and what an optimum
/// fills is inside both books.
struct TradableBook {
  std::vector<Staircase> stairs;  ///< limits and pieces as in the whole book
  Array state_prices;             ///< g, a probability vector; everything cut is outside it
};

/// Empty where no quantity dwarfs the others, or where those that do may trade.
std::optional<TradableBook> tradable_book(const Market& market,
                                          const std::vector<Staircase>& stairs);

}  // namespace kpm
