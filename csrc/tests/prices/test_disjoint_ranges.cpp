#include <algorithm>

#include "check.hpp"
#include "ipm/disjoint_book.hpp"
#include "prices/disjoint_ranges.hpp"
#include "prices/price_simplex.hpp"

namespace kpm {

namespace {

ScaledMarket scaled_market(const test::RandomBook& book) {
  return {book.market(), compile_staircases(book.market(), book.book())};
}

}  // namespace

TEST(the_most_revenue_of_disjoint_claims_is_what_the_simplex_method_finds) {
  test::Random random(46);
  int regular = 0;
  int maxima = 0;
  for (int trial = 0; trial < 400; ++trial) {
    const test::RandomBook book = test::disjoint_book(random, 30);
    const ScaledMarket market = scaled_market(book);
    const int claims = market.claims();
    const bool grid = random.below(2) == 0;
    Arena arena;
    DisjointRanges sums(market, arena);
    PriceSimplex simplex(market, arena);
    Array low(claims);
    Array high(claims);
    Array weight(claims);
    for (int k = 0; k < claims; ++k) {
      // On a grid several ranges end where prices add up to one.
      low[k] = (grid ? 0.25 * random.below(4) : random.uniform(0.0, 1.0)) / claims;
      high[k] = low[k] + (grid ? 0.25 * random.below(8) : random.uniform(0.0, 2.0)) / claims;
      weight[k] = random.below(4) == 0 ? 0.0 : random.uniform(-1.0, 1.0);
      if (random.below(4) == 0) {
        high[k] = low[k];
      }
      sums.set_range(k, low[k], high[k]);
      simplex.set_range(k, low[k], high[k]);
    }
    CHECK(sums.feasible() == simplex.feasible());
    if (!sums.feasible()) {
      continue;
    }
    ++maxima;
    Slice prices = arena.array(market.states());
    sums.maximise(weight, prices);
    const double most = simplex.maximise(weight, Array::Zero(market.states()));
    CHECK(prices.minCoeff() >= 0.0);
    CHECK_NEAR(prices.sum(), 1.0, 1e-14);
    const Array worth = (market.payoffs * prices.matrix()).array();
    CHECK((worth >= low - 1e-14).all() && (worth <= high + 1e-14).all());
    CHECK_NEAR((weight * worth).sum(), most, 1e-13);
    // The multipliers prove that there is no more: a free state is owed nothing.
    const double lambda = sums.multiplier();
    const double owed = market.disjoint.covering() ? -lambda : std::max(-lambda, 0.0);
    const double bound = ((weight + lambda) * low).max((weight + lambda) * high).sum() + owed;
    CHECK_NEAR(bound, most, 1e-13);
    if (sums.unique_multipliers(1e-7)) {
      ++regular;
      for (int k = 0; k < claims; ++k) {
        CHECK_NEAR(simplex.multiplier(k), lambda, 1e-12);
      }
    }
  }
  CHECK(maxima > 200 && regular > 50 && regular < maxima - 50);
}

}  // namespace kpm
