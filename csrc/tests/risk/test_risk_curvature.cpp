#include <cmath>
#include <numeric>
#include <vector>

#include "check.hpp"
#include "random_book.hpp"
#include "risk/risk_curvature.hpp"
#include "risk/risk_measure.hpp"

namespace kpm {
namespace {

/// P g at the demand: the slope of the risk.
Array slope(const Matrix& payoffs, const Array& inventory, const Array& demand,
            RiskMeasure& measure, Array& p, Array& g) {
  const Array loss = (payoffs.transpose() * demand.matrix()).array() - inventory;
  measure.support(loss, measure.evaluate(loss), p, g);
  return (payoffs * g.matrix()).array();
}

}  // namespace

TEST(the_curvature_of_the_risk_is_the_change_of_its_slope) {
  test::Random random(7);
  int smooth = 0;
  for (int trial = 0; trial < 500; ++trial) {
    const int states = 2 + random.below(6);
    const int claims = 1 + random.below(3);
    const Array prior = test::random_distribution(random, states);
    const double risk_aversion = std::exp(random.uniform(-3.0, 1.0));
    const double ambiguity = random.below(3) == 0 ? 0.0 : std::exp(random.uniform(-6.0, -2.0));
    Arena arena;
    RiskMeasure measure(prior, risk_aversion, ambiguity, arena);
    Matrix payoffs(claims, states);
    Array inventory(states);
    Array demand(claims);
    for (double& entry : payoffs.reshaped()) {
      entry = random.uniform(0.0, 1.0);
    }
    for (double& entry : inventory) {
      entry = random.uniform(0.0, 2.0);
    }
    for (double& entry : demand) {
      entry = random.uniform(-1.0, 1.0);
    }
    std::vector<int> numbers(static_cast<std::size_t>(claims));
    std::iota(numbers.begin(), numbers.end(), 0);
    Array p(states);
    Array g(states);
    slope(payoffs, inventory, demand, measure, p, g);
    const double multiplier = measure.multiplier();
    if (!(multiplier > 1e-2)) {
      continue;  // next to a kink
    }
    ++smooth;
    const Matrix curvature = risk_curvature(payoffs, numbers, p, g, risk_aversion, multiplier);
    for (int k = 0; k < claims; ++k) {
      const double step = 1e-5;
      Array moved = demand;
      moved[k] += step;
      const Array above = slope(payoffs, inventory, moved, measure, p, g);
      moved[k] -= 2.0 * step;
      const Array below = slope(payoffs, inventory, moved, measure, p, g);
      for (int l = 0; l <= k; ++l) {
        CHECK_NEAR(curvature(k, l), (above[l] - below[l]) / (2.0 * step),
                   1e-6 * (1.0 + std::abs(curvature(k, l))));
      }
    }
  }
  CHECK(smooth > 200);
}

}  // namespace kpm
