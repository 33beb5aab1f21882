#include "check.hpp"
#include "prices/analytic_centre.hpp"
#include "random_book.hpp"

namespace kpm {

namespace {

struct Ranges {
  Matrix payoffs;
  Array w, inside, low, high;
};

/// Ranges around the prices of a distribution, some ending at them; some claims imply others.
Ranges draw(test::Random& random) {
  const int states = 2 + random.below(8);
  const int claims = 1 + random.below(10);
  Ranges ranges{Matrix(claims, states), test::random_distribution(random, states),
                test::random_distribution(random, states), Array(claims), Array(claims)};
  for (int k = 0; k < claims; ++k) {
    for (int i = 0; i < states; ++i) {
      ranges.payoffs(k, i) = random.below(2) == 0 ? random.uniform() : random.below(2);
    }
    if (k > 0 && random.below(4) == 0) {
      ranges.payoffs.row(k) = 1.0 - ranges.payoffs.row(k - 1).array();
    }
    const double price = ranges.payoffs.row(k).dot(ranges.inside.matrix());
    const double width = random.below(3) == 0 ? 0.0 : 0.1;
    ranges.low[k] = random.below(4) == 0 ? price : price - width * random.uniform();
    ranges.high[k] = random.below(4) == 0 ? price : price + width * random.uniform();
  }
  return ranges;
}

}  // namespace

TEST(the_analytic_centre_meets_its_ranges_and_no_admitted_prices_beat_it) {
  test::Random random(41);
  for (int trial = 0; trial < 2000; ++trial) {
    const Ranges ranges = draw(random);
    Array g;
    CHECK(find_analytic_centre(ranges.payoffs, ranges.w, ranges.low, ranges.high, g));
    CHECK_NEAR(g.sum(), 1.0, 1e-14);
    const Array price = (ranges.payoffs * g.matrix()).array();
    for (Eigen::Index k = 0; k < price.size(); ++k) {
      CHECK_AT_MOST(ranges.low[k], price[k], 1e-12);
      CHECK_AT_MOST(price[k], ranges.high[k], 1e-12);
    }
    // The slope of sum w ln towards any prices that the ranges admit: sum w (z - g) / g <= 0.
    CHECK_AT_MOST((ranges.w * ranges.inside / g).sum(), 1.0, 1e-9);
  }
}

TEST(without_ranges_that_bind_the_analytic_centre_is_the_weights) {
  test::Random random(42);
  const Array w = test::random_distribution(random, 5);
  Array g;
  Matrix payoffs(2, 5);
  payoffs << 1, 0, 0, 0, 0, 0.3, 0.3, 0.3, 0.3, 0.3;  // the second is constant
  CHECK(find_analytic_centre(payoffs, w, Eigen::Array2d(0.0, 0.3), Eigen::Array2d(1.0, 0.3), g));
  for (int i = 0; i < 5; ++i) {
    CHECK_NEAR(g[i], w[i], 2e-16);
  }
}

TEST(a_known_price_of_one_state_leaves_the_others_their_proportions) {
  test::Random random(43);
  for (int trial = 0; trial < 100; ++trial) {
    const Array w = test::random_distribution(random, 4);
    const double price = random.uniform(1e-6, 1.0 - 1e-6);
    Matrix payoffs(1, 4);
    payoffs << 1, 0, 0, 0;
    const Array known = Array::Constant(1, price);
    Array g;
    CHECK(find_analytic_centre(payoffs, w, known, known, g));
    CHECK_NEAR(g[0], price, 1e-15);
    for (int i = 1; i < 4; ++i) {
      CHECK_NEAR(g[i], w[i] * (1.0 - price) / (1.0 - w[0]), 1e-14);
    }
  }
}

TEST(ranges_that_no_positive_prices_meet_have_no_analytic_centre) {
  Matrix payoffs(1, 3);
  payoffs << 1, 0, 0;
  const Array w = Array::Constant(3, 1.0 / 3.0);
  const Array none = Array::Constant(1, -0.1);  // less than any price
  Array g = w;
  CHECK(!find_analytic_centre(payoffs, w, none, none, g));
  CHECK_NEAR(g[0], 1.0 / 3.0, 0.0);
}

}  // namespace kpm
