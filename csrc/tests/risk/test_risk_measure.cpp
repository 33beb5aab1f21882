#include "numerics/entropy.hpp"
#include "random_book.hpp"
#include "risk/risk_measure.hpp"

namespace kpm {
namespace {

struct Case {
  explicit Case(test::Random& random)
      : states(1 + random.below(8)),
        prior(test::random_distribution(random, states)),
        risk_aversion(random.below(5) == 0 ? 0.0 : std::exp(random.uniform(-4.0, 2.0))),
        ambiguity(random.below(5) == 0 ? 0.0 : std::exp(random.uniform(-9.0, 1.0))) {}

  Array losses(test::Random& random) const {
    Array loss(states);
    for (double& entry : loss) {
      entry = random.below(6) == 0 ? 1.0 : random.uniform(-2.0, 2.0);
    }
    return loss;
  }

  int states;
  Array prior;
  double risk_aversion, ambiguity;
};

}  // namespace

TEST(the_worst_case_lies_in_the_ball_and_attains_the_risk) {
  test::Random random(21);
  for (int trial = 0; trial < 2000; ++trial) {
    const Case at(random);
    Arena arena;
    RiskMeasure measure(at.prior, at.risk_aversion, at.ambiguity, arena);
    const Array loss = at.losses(random);
    const double rho = measure.evaluate(loss);
    const Array p = measure.worst_case() / measure.worst_case().sum();
    CHECK(p.minCoeff() >= 0.0);
    CHECK_AT_MOST(relative_entropy_of(p, at.prior), at.ambiguity, 1e-12 * (1.0 + at.ambiguity));
    const double top = loss.maxCoeff();
    double sum = 0.0;  // of p (e^{a (L - top)} - 1) / a
    for (int i = 0; i < at.states; ++i) {
      sum += p[i] * scaled_expm1(at.risk_aversion, loss[i] - top);
    }
    CHECK_NEAR(rho, top + scaled_log1p(at.risk_aversion, sum), 1e-11);
    // No other distribution of the ball is worse.
    for (int other = 0; other < 5; ++other) {
      Array r = test::random_distribution(random, at.states);
      while (relative_entropy_of(r, at.prior) > at.ambiguity && at.ambiguity > 0.0) {
        r = 0.5 * (r + at.prior);
      }
      double worth = 0.0;
      const Array& q = at.ambiguity > 0.0 ? r : at.prior;
      for (int i = 0; i < at.states; ++i) {
        worth += q[i] * scaled_expm1(at.risk_aversion, loss[i] - top);
      }
      CHECK_AT_MOST(top + scaled_log1p(at.risk_aversion, worth), rho, 1e-12);
    }
  }
}

TEST(risk_is_cash_additive_monotone_and_convex) {
  test::Random random(22);
  for (int trial = 0; trial < 1000; ++trial) {
    const Case at(random);
    Arena arena;
    RiskMeasure measure(at.prior, at.risk_aversion, at.ambiguity, arena);
    const Array loss = at.losses(random);
    const Array other = at.losses(random);
    const double rho = measure.evaluate(loss);
    const double rho_other = measure.evaluate(other);
    CHECK_NEAR(measure.evaluate(loss + 0.75), rho + 0.75, 1e-12);
    CHECK_AT_MOST(rho, measure.evaluate(loss + other.abs()), 1e-12);
    const double share = random.uniform();
    CHECK_AT_MOST(measure.evaluate(share * loss + (1.0 - share) * other),
                  share * rho + (1.0 - share) * rho_other, 1e-12);
    CHECK_AT_MOST((at.prior * loss).sum(), rho, 1e-12);
    CHECK_AT_MOST(rho, loss.maxCoeff(), 1e-12);
  }
}

TEST(a_start_near_the_answer_changes_nothing_beyond_rounding) {
  test::Random random(23);
  for (int trial = 0; trial < 500; ++trial) {
    const Case at(random);
    Arena arena;
    RiskMeasure measure(at.prior, at.risk_aversion, at.ambiguity, arena);
    const Array loss = at.losses(random);
    const double rho = measure.evaluate(loss);
    const double multiplier = measure.multiplier();
    CHECK_NEAR(measure.evaluate(loss, rho + 1e-4, multiplier * 1.001), rho, 1e-12);
  }
}

}  // namespace kpm
