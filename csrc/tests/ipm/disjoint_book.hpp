// Books whose claims pay on disjoint sets of states, and the same markets treated as general ones.
#pragma once

#include <algorithm>

#include "book/scaled_market.hpp"
#include "random_book.hpp"

namespace kpm::test {

/// Enough claims for the solvers without matrices, or fewer; mostly some states pay no claim.
inline RandomBook disjoint_book(Random& random, int orders,
                                int fewest = static_cast<int>(DisjointClaims::kFewest)) {
  const int claims = fewest + random.below(10);
  const int states = claims + random.below(3) * random.below(20);
  RandomBook book(random, states, claims, orders);
  const bool covering = random.below(2) == 0;
  std::fill(book.payoffs.begin(), book.payoffs.end(), 0.0);
  for (int i = 0; i < states; ++i) {
    const int claim = i < claims ? i : random.below(claims);
    if (i < claims || covering || random.below(2) == 0) {
      book.payoffs[static_cast<std::size_t>(claim * states + i)] = 1.0;
    }
  }
  if (!covering) {  // the last state then pays in none, unless each claim needs one
    for (int k = 0; k < claims && states > claims; ++k) {
      book.payoffs[static_cast<std::size_t>(k * states + states - 1)] = 0.0;
    }
  }
  for (double& price : book.price) {
    price = (1.0 + random.below(12)) / (5.0 * claims);
  }
  return book;
}

}  // namespace kpm::test
