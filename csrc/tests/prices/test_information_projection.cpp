#include "numerics/entropy.hpp"
#include "prices/information_projection.hpp"
#include "random_book.hpp"

namespace kpm {

TEST(the_projection_meets_its_prices_and_satisfies_pythagoras) {
  test::Random random(34);
  int settled = 0;
  for (int trial = 0; trial < 500; ++trial) {
    const test::RandomBook book(random, 3 + random.below(6), 1 + random.below(3), 3);
    const ScaledMarket market(book.market(), compile_staircases(book.market(), book.book()));
    Arena arena;
    InformationProjection projection(market, arena);
    projection.clear();
    for (int i = 0; i < market.states(); ++i) {
      projection.add_state(i);
    }
    const Array other = test::random_distribution(random, market.states());
    std::vector<double> low, high;
    for (int k = 0; k < market.claims(); ++k) {
      const double price = market.payoffs.row(k).dot(other.matrix());
      const double width = random.below(2) == 0 ? 0.0 : 0.05 * random.uniform();
      low.push_back(std::max(0.0, price - width));
      high.push_back(std::min(1.0, price + width));
      projection.set_range(k, low.back(), high.back());
    }
    if (!projection.settle()) {
      continue;
    }
    ++settled;
    const Array x = projection.distribution();
    CHECK_NEAR(x.sum(), 1.0, 1e-12);
    for (int k = 0; k < market.claims(); ++k) {
      const double price = market.payoffs.row(k).dot(x.matrix());
      CHECK_AT_MOST(low[static_cast<std::size_t>(k)], price, 1e-12);
      CHECK_AT_MOST(price, high[static_cast<std::size_t>(k)], 1e-12);
    }
    // KL(z|q) >= KL(z|x) + KL(x|q) for every z with prices in the ranges: x is the nearest.
    const double direct = relative_entropy_of(other, market.prior);
    CHECK_AT_MOST(relative_entropy_of(other, x) + relative_entropy_of(x, market.prior), direct,
                  1e-11);
  }
  CHECK(settled > 400);
}

}  // namespace kpm
