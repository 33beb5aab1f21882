#include <algorithm>

#include "random_book.hpp"
#include "risk/knightian_maker.hpp"

namespace kpm {

/// A block's costs are those of its two trades by themselves: series against sums over the states.
TEST(both_sides_of_a_two_valued_block_are_their_increments) {
  test::Random random(41);
  int by_series = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    const int states = 2 + random.below(20);
    const Array prior = test::random_distribution(random, states);
    const double averse = std::exp(random.uniform(-4.0, 1.0));
    KnightianMaker maker(prior, averse, std::exp(random.uniform(-15.0, 1.0)));
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
    ++by_series;
    for (int k = 0; k < 3; ++k) {
      const double largest = sizes[k] * std::max(std::abs(low), std::abs(high));
      CHECK_NEAR(up[k], maker.increment(sizes[k] * claim), 1e-13 * largest);
      CHECK_NEAR(down[k], -maker.increment(-sizes[k] * claim), 1e-13 * largest);
    }
    // Another position: its series, not those of the first.
    maker.set_losses(-losses);
    if (maker.block_costs(claim.data(), sizes, 1, down, up)) {
      CHECK_NEAR(up[0], maker.increment(sizes[0] * claim), 1e-13 * sizes[0] * 3.0);
    }
  }
  CHECK(by_series > 1000);
}

}  // namespace kpm
