#include <cmath>
#include <vector>

#include "check.hpp"
#include "numerics/expm1.hpp"
#include "numerics/exponential_sum.hpp"
#include "numerics/log1p.hpp"

namespace kpm {

TEST(a_series_of_exponentials_is_their_sum) {
  test::Random random(3);
  for (int trial = 0; trial < 500; ++trial) {
    const int count = 4 * (1 + random.below(10));
    Array weights(count);
    Array x(count);
    Matrix terms(count, ExponentialSum::kTerms);
    std::vector<Eigen::Index> all;
    for (int i = 0; i < count; ++i) {
      weights[i] = random.uniform();
      x[i] = random.uniform(-1.0, 1.0);
      ExponentialSum::fill_terms(weights[i], x[i], &terms(i, 0));
      all.push_back(i);
    }
    Array raised(count);
    ExponentialSum half;
    half.start(weights.data(), x.data(), count, raised.data());
    ExponentialSum full = half;
    full.finish(x.data(), count, raised.data());
    ExponentialSum added;
    added.add_up(terms.data(), all.data(), count);
    CHECK_NEAR(added.moment(0), weights.sum(), 1e-14 * weights.sum());
    for (const ExponentialSum& sum : {half, full, added}) {
      const double t = random.uniform(-1.0, 1.0) * sum.reach() * (random.below(2) ? 1.0 : 1e-9);
      const ExponentialSum::Excess excess = sum.at(Pair(t, -t));
      for (int lane = 0; lane < 2; ++lane) {
        const double tilt = lane == 0 ? t : -t;
        const Array power = (tilt * x).unaryExpr([](double u) { return std::expm1(u); });
        const double size = weights.sum();
        CHECK_NEAR(excess.value[lane], (weights * power).sum(), 4e-16 * size * std::abs(t));
        CHECK_NEAR(excess.first[lane], (weights * x * power).sum(), 1e-15 * size * std::abs(t));
        CHECK_NEAR(excess.second[lane], (weights * x * x * (power + 1.0)).sum(), 5e-15 * size);
      }
    }
  }
}

TEST(two_exponentials_have_the_digits_of_one) {
  test::Random random(6);
  for (int trial = 0; trial < 60000; ++trial) {
    const double x = std::exp(random.uniform(-40.0, 6.56)) * (random.below(2) ? 1.0 : -1.0);
    const double size = std::abs(std::expm1(x));
    const Pair both(x, -x);
    CHECK_NEAR(expm1_of<Exponents::kAny>(both)[0], std::expm1(x), 6e-16 * size);
    if (std::abs(x) <= kExpm1Doubled) {
      CHECK_NEAR(expm1_of<Exponents::kMedium>(both)[0], std::expm1(x), 1.2e-15 * size);
    }
    if (std::abs(x) <= kExpm1Series) {
      CHECK_NEAR(expm1_of<Exponents::kSmall>(both)[0], std::expm1(x), 4e-16 * size);
    }
  }
  const Pair ends = expm1_of<Exponents::kAny, Pair>(Pair(-1e6, 800.0));
  CHECK(ends[0] == -1.0 && !std::isfinite(ends[1]));
  CHECK(std::isnan(expm1_of<Exponents::kAny, Pair>(Pair::Constant(std::nan("")))[0]));
}

TEST(two_logarithms_have_the_digits_of_one) {
  test::Random random(4);
  for (int trial = 0; trial < 20000; ++trial) {
    const double size = std::exp(random.uniform(-40.0, 40.0));
    const Pair x(size, -std::min(size, 1.0 - 1e-15 - random.uniform()));
    const Pair found = log1p_of(x);
    for (int lane = 0; lane < 2; ++lane) {
      CHECK_NEAR(found[lane], std::log1p(x[lane]), 8e-16 * std::abs(std::log1p(x[lane])));
    }
  }
}

}  // namespace kpm
