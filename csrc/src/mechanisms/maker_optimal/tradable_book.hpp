// The book without quantities that no clearing could trade.
#pragma once

#include <optional>
#include <vector>

#include "book/staircase.hpp"
#include "book/traded_market.hpp"
#include "kpm/kpm.hpp"
#include "numerics/stop_token.hpp"

namespace kpm {

/// A book in which quantities that dwarf the rest are cut to a multiple of what could trade of
/// them. It has the same optimal clearings. For any state prices g and any p with KL(p|q) <= Omega,
/// a clearing that pays every order its limit is worth at most
///
///     D(g, p) = sum_k F_k(P_k.g) + g.w + KL(g|p) / alpha,
///
/// F_k the surplus of the orders inside g's price (Donsker-Varadhan), less m x if an order that
/// lies outside of it by m fills x. Uniform prices pay the maker no more, and no optimum is below
/// no trade: so x <= (D(g, p) - no trade) / m. Here it is cut to twice that, or more. In the cut
/// book, to which the same applies, an order that is filled in full is no optimum, and what an
/// optimum fills is inside both books.
///
/// Where giants meet on one limit of a claim, g lies on that limit and bounds nothing. What bids
/// and offers there trade with each other costs the maker nothing: only their net z does. A
/// clearing with z > 0 is worth at most D(g, p) - m z for a g that lies above the limit by m and on
/// all others of that kind, D without the orders of the limit; and likewise below it.
struct TradableBook {
  /// Where giants meet on a limit of a claim, state prices and p beside that limit.
  struct Meeting {
    int claim;  // of the market
    int limit;
    Array state_prices_above, worst_case_above;  // empty if there are none
    Array state_prices_below, worst_case_below;
  };

  std::vector<Staircase> stairs;  ///< limits and pieces as in the whole book
  std::vector<Staircase> netted;  ///< the whole book, giants netted; empty where none has met
  std::vector<Meeting> meetings;
  Array state_prices;  ///< g, a probability vector; everything cut is outside it
  Array worst_case;    ///< p

  double notional() const;  ///< of all that could trade in it, money

  /// Merge the states as the traded market does.
  void merge(const TradedMarket& traded) {
    for (Array* const by_state : {&state_prices, &worst_case}) {
      *by_state = traded.merge(*by_state);
    }
    for (Meeting& meeting : meetings) {
      for (Array* const by_state : {&meeting.state_prices_above, &meeting.worst_case_above,
                                    &meeting.state_prices_below, &meeting.worst_case_below}) {
        *by_state = traded.merge(*by_state);
      }
    }
  }
};

/// Empty where no quantity dwarfs the others, or where those that do may trade. If
/// `traded`, the money that trades, is known (not zero), quantities that dwarf it are cut. Empty,
/// too, once the token has stopped: the whole book is as right.
std::optional<TradableBook> tradable_book(const Market& market,
                                          const std::vector<Staircase>& stairs, StopToken& token,
                                          double traded = 0.0);

/// No cut of a book in which giants do not meet leaves less notional, money, where `floor` may
/// trade at least; found without a projection, and low enough whatever the rounding.
double least_left(const std::vector<Staircase>& stairs, double floor);

}  // namespace kpm
