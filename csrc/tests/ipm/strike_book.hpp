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
/// of all strikes are levels.
inline RandomBook strike_book(Random& random, int orders) {
  const int claims = static_cast<int>(StrikeClaims::kFewest) + random.below(40);
  const int states = 12 + random.below(60);
  RandomBook book(random, states, claims, orders);
  std::vector<double> level(static_cast<std::size_t>(states));
  for (double& one : level) {
    one = std::round(random.uniform(90.0, 110.0) * 100.0) / 100.0;
  }
  const int kinds = random.below(2) == 0 ? 2 : 6;
  const bool out_of_the_money = random.below(4) == 0;
  for (int k = 0; k < claims; ++k) {
    int kind = random.below(kinds);
    const double strike =
        random.below(2) == 0
            ? level[static_cast<std::size_t>(random.below(states))]
            : std::round(random.uniform(91.0, 109.0) * 10.0) / 10.0;
    if (out_of_the_money) {
      kind = strike > 100.0 ? 0 : 1;
    }
    for (int i = 0; i < states; ++i) {
      book.payoffs[static_cast<std::size_t>(k * states + i)] =
          option_payoff(kind, level[static_cast<std::size_t>(i)], strike);
    }
  }
  for (std::size_t j = 0; j < book.price.size(); ++j) {
    const double* const row = book.payoffs_of(static_cast<int>(book.claim[j]));
    const auto [least, most] = std::minmax_element(row, row + states);
    book.price[j] = *least + (1.0 + random.below(20)) / 25.0 * (*most - *least);
  }
  return book;
}

}  // namespace kpm::test
