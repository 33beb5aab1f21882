#include <cmath>
#include <vector>

#include "random_book.hpp"
#include "risk/ball_support.hpp"
#include "risk/knightian_maker.hpp"

namespace kpm {

TEST(the_bounds_of_a_claim_are_those_of_the_risk_measure) {
  test::Random random(31);
  for (int trial = 0; trial < 2000; ++trial) {
    const int states = 2 + random.below(9);
    const Array prior = test::random_distribution(random, states);
    const double radius = std::exp(random.uniform(-20.0, 1.0));
    Array claim(states);
    const int kind = random.below(3);
    for (double& payoff : claim) {
      payoff = kind == 0   ? random.below(2)
               : kind == 1 ? 0.3 * random.below(2) - 0.7
                           : random.uniform(-2.0, 2.0);
    }
    Arena arena;
    BallSupport support(states, arena);
    support.set_ball(prior, radius);
    RiskMeasure measure(prior, 0.0, radius, arena);
    double least = 0.0;
    double greatest = 0.0;
    support.bounds(claim.data(), 1, &least, &greatest);
    CHECK_NEAR(greatest, measure.evaluate(claim), 1e-13);
    CHECK_NEAR(least, -measure.evaluate(-claim), 1e-13);
    CHECK(greatest == support.greatest(claim.data()));
    // The sides mirror each other.
    const Array negated = -claim;
    CHECK_NEAR(-support.greatest(negated.data()), least, 1e-15);
  }
}

/// Two claims share the work for their roots.
TEST(a_quote_at_a_kink_does_not_depend_on_the_claims_beside_it) {
  test::Random random(91);
  for (int trial = 0; trial < 400; ++trial) {
    const int states = 2 + random.below(12);
    const int claims = 1 + random.below(9);
    KnightianMaker maker(test::random_distribution(random, states), 0.1,
                         std::exp(random.uniform(-25.0, 1.0)));
    Matrix payoffs(claims, states);
    for (int k = 0; k < claims; ++k) {
      const int kind = random.below(4);
      for (int i = 0; i < states; ++i) {
        const double bit = random.below(2);
        payoffs(k, i) = kind == 0 ? random.uniform(-1.0, 1.0) : kind == 1 ? 2.0 * bit - 0.5 : bit;
      }
    }
    std::vector<double> bid(static_cast<std::size_t>(claims));
    std::vector<double> ask(static_cast<std::size_t>(claims));
    maker.marginal_quotes(payoffs.data(), claims, bid.data(), ask.data());
    for (int k = 0; k < claims; ++k) {
      double own_bid = 0.0;
      double own_ask = 0.0;
      maker.marginal_quote(&payoffs(k, 0), &own_bid, &own_ask);
      CHECK(bid[static_cast<std::size_t>(k)] == own_bid);
      CHECK(ask[static_cast<std::size_t>(k)] == own_ask);
    }
  }
}

}  // namespace kpm
