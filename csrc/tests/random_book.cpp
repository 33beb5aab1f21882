#include "random_book.hpp"

#include <algorithm>

namespace kpm::test {

Array random_distribution(Random& random, int states) {
  Array weights(states);
  for (double& weight : weights) {
    weight = -std::log(1.0 - random.uniform()) + 1e-3;
  }
  return weights / weights.sum();
}

RandomBook::RandomBook(Random& random, int n, int k, int count)
    : states(n),
      claims(k),
      risk_aversion(std::exp(random.uniform(-3.0, 1.0))),
      ambiguity(random.below(4) == 0 ? 0.0 : random.uniform(0.0, 1.2)) {
  for (int c = 0; c < claims; ++c) {
    const double unit = random.below(2) == 0 ? 1.0 : 7.0;
    const int high = random.below(n);  // no claim is constant
    for (int i = 0; i < n; ++i) {
      const int step = i == high ? 5 : n > 1 && i == (high + 1) % n ? 0 : random.below(6);
      payoffs.push_back(unit * (static_cast<double>(step) - 1.0));
    }
  }
  const Array q = random_distribution(random, n);
  prior.assign(q.begin(), q.end());
  for (int i = 0; i < n; ++i) {
    inventory.push_back(random.uniform(-2.0, 2.0));
  }
  for (int j = 0; j < count; ++j) {
    const int c = random.below(k);
    const double* const row = payoffs_of(c);
    const double low = *std::min_element(row, row + n);
    const double high = *std::max_element(row, row + n);
    claim.push_back(c);
    side.push_back(random.below(2) == 0 ? std::int8_t{1} : std::int8_t{-1});
    // A grid of limits that reaches beyond the payoffs: ties, orders that always trade or never do.
    price.push_back(low + (high - low) * (random.below(25) - 2) / 20.0);
    quantity.push_back(random.below(5) == 0 ? random.uniform(0.0, 3.0) : 1.0 + random.below(4));
  }
}

Market RandomBook::market() const {
  return {states, claims, payoffs.data(), prior.data(), inventory.data(), risk_aversion, ambiguity};
}

Orders RandomBook::book() const {
  return {static_cast<std::int64_t>(price.size()),
          claim.data(),
          side.data(),
          price.data(),
          quantity.data(),
          nullptr};
}

}  // namespace kpm::test
