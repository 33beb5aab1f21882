// Random books for tests: many ties, some kinks.
#pragma once

#include <vector>

#include "book/staircase.hpp"
#include "check.hpp"
#include "kpm/kpm.hpp"
#include "numerics/dense.hpp"

namespace kpm::test {

/// A market and its orders, which own their arrays.
struct RandomBook {
  RandomBook(Random& random, int states, int claims, int orders);

  Market market() const;
  Orders book() const;
  const double* payoffs_of(int k) const {
    return payoffs.data() + static_cast<std::ptrdiff_t>(k) * states;
  }

  int states, claims;
  double risk_aversion, ambiguity;
  std::vector<double> payoffs, prior, inventory;
  std::vector<std::int64_t> claim;
  std::vector<std::int8_t> side;
  std::vector<double> price, quantity;
};

/// A distribution, all of it positive.
Array random_distribution(Random& random, int states);

}  // namespace kpm::test
