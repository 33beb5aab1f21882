// Books of calls, puts and other claims on one index, in an order that says nothing.
#pragma once

#include <algorithm>
#include <cmath>

#include "book/scaled_market.hpp"
#include "random_book.hpp"

namespace kpm::test {

inline double option_payoff(int kind, double level, double strike) {
  const double over = level - strike;
  switch (kind) {
    case 0:
      return std::max(over, 0.0);
    case 1:
      return std::max(-over, 0.0);
    case 2:
      return std::abs(over);  // a straddle
    case 3:
      return over >= 0.0 ? 1.0 : 0.0;  // a digital
    case 4:
      return 5.0 - std::max(over, 0.0);  // one minus a call
    default:
      return 10.0 * level;  // a forward
  }
}

/// Enough claims for the solvers without matrices. Half the books hold calls and puts alone, half
/// of all strikes are levels, and a quarter of the books have no option in the money. Payoffs are
/// printed with so many decimals.
struct StrikeBook : RandomBook {
  StrikeBook(Random& random, int orders, double decimals = 16.0)
      : RandomBook(random, 12 + random.below(60),
                   static_cast<int>(StrikeClaims::kFewest) + random.below(40), orders),
        mixed(random.below(2) == 0) {
    std::vector<double> level(static_cast<std::size_t>(states));
    for (double& one : level) {
      one = std::round(random.uniform(90.0, 110.0) * 100.0) / 100.0;
    }
    const bool out_of_the_money = !mixed && random.below(2) == 0;
    for (int k = 0; k < claims; ++k) {
      const double strike = random.below(2) == 0
                                ? level[static_cast<std::size_t>(random.below(states))]
                                : std::round(random.uniform(91.0, 109.0) * 10.0) / 10.0;
      const int kind = out_of_the_money ? (strike > 100.0 ? 0 : 1) : random.below(mixed ? 6 : 2);
      for (int i = 0; i < states; ++i) {
        const double payoff = option_payoff(kind, level[static_cast<std::size_t>(i)], strike);
        const double unit = std::pow(10.0, decimals);
        payoffs[static_cast<std::size_t>(k * states + i)] =
            decimals < 16.0 ? std::round(payoff * unit) / unit : payoff;
      }
    }
    for (std::size_t j = 0; j < price.size(); ++j) {
      const double* const row = payoffs_of(static_cast<int>(claim[j]));
      const auto [least, most] = std::minmax_element(row, row + states);
      price[j] = *least + (1.0 + random.below(20)) / 25.0 * (*most - *least);
    }
  }

  bool mixed;  ///< with straddles, digitals and others
};

}  // namespace kpm::test
