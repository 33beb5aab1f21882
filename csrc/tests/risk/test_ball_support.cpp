#include "random_book.hpp"
#include "risk/ball_support.hpp"

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
    support.bounds(claim.data(), &least, &greatest);
    CHECK_NEAR(greatest, measure.evaluate(claim), 1e-13);
    CHECK_NEAR(least, -measure.evaluate(-claim), 1e-13);
    CHECK(greatest == support.greatest(claim.data()));
    // The sides mirror each other.
    const Array negated = -claim;
    CHECK_NEAR(-support.greatest(negated.data()), least, 1e-15);
  }
}

}  // namespace kpm
