#include <algorithm>

#include "random_book.hpp"
#include "risk/knightian_maker.hpp"

namespace kpm {

/// Series against differences of the risk, which a small block rounds away, and against sums over
/// the states, which end sooner.
TEST(both_sides_of_a_two_valued_block_are_changes_of_the_risk) {
  test::Random random(41);
  int by_series = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    const int states = 2 + random.below(20);
    const Array prior = test::random_distribution(random, states);
    const double averse = std::exp(random.uniform(-4.0, 1.0));
    const double ambiguity = std::exp(random.uniform(-15.0, 1.0));
    KnightianMaker maker(prior, averse, ambiguity);
    Arena arena;
    RiskMeasure measure(prior, averse, ambiguity, arena);
    Array losses(states);
    Array claim(states);
    const double low = random.below(2) == 0 ? 0.0 : random.uniform(-2.0, 1.0);
    const double high = low == 0.0 ? 1.0 : low + random.uniform(0.1, 2.0);
    for (int i = 0; i < states; ++i) {
      losses[i] = random.uniform(-1.0, 1.0) / averse;
      claim[i] = random.below(2) == 0 ? low : high;
    }
    maker.set_losses(losses);
    const double sizes[3] = {1e-9 / averse, std::exp(random.uniform(-6.0, 0.5)) / averse,
                             1e3 / averse};
    double down[3];
    double up[3];
    if (!maker.block_costs(claim.data(), sizes, 3, down, up)) {
      continue;
    }
    for (int k = 0; k < 3; ++k) {
      const Array sold = sizes[k] * claim;
      const Array bought = -sold;
      const double largest = sizes[k] * std::max(std::abs(low), std::abs(high));
      const double one = maker.increment(sold, nullptr);
      const double other = -maker.increment(bought, nullptr);
      CHECK_NEAR(up[k], one, 2e-14 * largest);
      CHECK_NEAR(down[k], other, 2e-14 * largest);
      if (up[k] != one || down[k] != other) {  // it was within the reach of the series
        ++by_series;
        const double within = 1e-14 * (largest + losses.abs().maxCoeff());
        const double before = measure.evaluate(losses);
        CHECK_NEAR(up[k], measure.evaluate(losses + sold) - before, within);
        CHECK_NEAR(down[k], before - measure.evaluate(losses + bought), within);
      }
    }
    // Another position: its series, not those of the first.
    losses = -losses;
    maker.set_losses(losses);
    if (maker.block_costs(claim.data(), sizes, 1, down, up)) {
      const Array sold = sizes[0] * claim;
      CHECK_NEAR(up[0], maker.increment(sold, nullptr), 2e-14 * sold.abs().maxCoeff());
    }
  }
  CHECK(by_series > 1000);
}

}  // namespace kpm
