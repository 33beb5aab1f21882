#include <cmath>
#include <vector>

#include "check.hpp"
#include "numerics/exponential_sum.hpp"
#include "numerics/log1p.hpp"

namespace kpm {

TEST(a_series_of_exponentials_is_their_sum) {
  test::Random random(3);
  for (int trial = 0; trial < 500; ++trial) {
    const int count = 2 * (1 + random.below(20));
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
