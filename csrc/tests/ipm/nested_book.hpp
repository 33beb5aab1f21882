// Books whose claims pay on nested sets of states, and the same markets treated as general ones.
#pragma once

#include <algorithm>

#include "book/scaled_market.hpp"
#include "random_book.hpp"

namespace kpm::test {

/// Enough claims for the solvers without matrices: intervals of states, each around two others, one
/// or none, in an order of claims that says nothing. Of half the books all are nested in a chain.
inline RandomBook nested_book(Random& random, int orders) {
  const int claims = static_cast<int>(NestedClaims::kFewest) + random.below(10);
  const int states = 2 * claims + random.below(40);
  RandomBook book(random, states, claims, orders);
  std::fill(book.payoffs.begin(), book.payoffs.end(), 0.0);
  std::vector<int> row(static_cast<std::size_t>(claims));
  for (int k = 0; k < claims; ++k) {
    row[static_cast<std::size_t>(k)] = k;
    std::swap(row[static_cast<std::size_t>(k)], row[static_cast<std::size_t>(random.below(k + 1))]);
  }
  const bool chain = random.below(2) == 0;
  std::vector<std::pair<int, int>> sets;  // from a state to the one after
  for (const int k : row) {
    std::pair<int, int> set;
    if (sets.empty() || (!chain && random.below(4) == 0 && sets.back().second < states - 1)) {
      const int from = sets.empty() ? 0 : sets.back().second;
      set = {from, from + 1 + random.below(2)};
    } else {  // around the last one, or the last two
      set = sets.back();
      sets.pop_back();
      if (!chain && !sets.empty() && random.below(2) == 0) {
        set.first = sets.back().first;
        sets.pop_back();
      }
      set.second = std::min(set.second + 1 + random.below(2) * random.below(2), states);
    }
    for (int i = set.first; i < set.second; ++i) {
      book.payoffs[static_cast<std::size_t>(k * states + i)] = 1.0;
    }
    sets.push_back(set);
  }
  for (double& price : book.price) {
    price = (1.0 + random.below(20)) / 25.0;
  }
  return book;
}

}  // namespace kpm::test
