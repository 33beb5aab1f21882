#include "numerics/entropy.hpp"
#include "random_book.hpp"

namespace kpm {
namespace {

/// e^m m - e^m + 1 in more digits than a double has.
double integrand_of(double m) {
  const auto wide = static_cast<long double>(m);
  return static_cast<double>(std::exp(wide) * wide - std::expm1(wide));
}

}  // namespace

TEST(the_integrand_keeps_its_digits_where_the_series_takes_over) {
  for (double m = 1e-3; m < 0.2; m *= 1.01) {
    for (const double signed_m : {m, -m}) {
      const double found = entropy_integrand(signed_m, power_of(signed_m));
      // The plain formula's terms, which are of size m, each lose half an ulp.
      const double allowed = std::abs(signed_m) < kEntropySeries ? 1e-13 * m * m : 4e-16 * m;
      CHECK_NEAR(found, integrand_of(signed_m), allowed);
    }
  }
  for (double m = 1e-150; m < 1e-3; m *= 10.0) {
    CHECK_NEAR(entropy_series(m) / (m * m), 0.5, m);
    CHECK(entropy_series(-m) > 0.0);
  }
}

TEST(relative_entropy_is_a_divergence) {
  test::Random random(4);
  for (int trial = 0; trial < 500; ++trial) {
    const int n = 1 + random.below(9);
    const Array q = test::random_distribution(random, n);
    const Array p = test::random_distribution(random, n);
    long double plain = 0.0L;
    for (int i = 0; i < n; ++i) {
      plain += static_cast<long double>(p[i]) * std::log(static_cast<long double>(p[i]) / q[i]);
    }
    CHECK_NEAR(relative_entropy_of(p, q), static_cast<double>(plain), 1e-14);
    CHECK(relative_entropy_of(q, q) == 0.0);
    // A little way off it is quadratic, far below what the plain formula resolves.
    const double step = 1e-9;
    const Array near = q + step * (p - q);
    const double expected = 0.5 * step * step * ((p - q).square() / q).sum();
    CHECK_NEAR(relative_entropy_of(near, q), expected, 1e-5 * expected);
  }
}

TEST(a_state_that_the_prior_excludes_is_infinitely_far) {
  const Array q = (Array(3) << 0.5, 0.5, 0.0).finished();
  CHECK(relative_entropy_of((Array(3) << 0.5, 0.4, 0.1).finished(), q) == kInfinity);
  const Array vertex = (Array(3) << 1.0, 0.0, 0.0).finished();
  CHECK_NEAR(relative_entropy_of(vertex, q), std::log(2.0), 1e-15);
}

TEST(a_state_that_the_prior_all_but_excludes_is_far) {
  const Array q = (Array(2) << 1.0, 1e-310).finished();
  const Array p = (Array(2) << 0.5, 0.5).finished();
  CHECK_NEAR(relative_entropy_of(p, q), std::log(0.5) - 0.5 * std::log(1e-310), 1e-12);
}

TEST(tilted_masses_are_distributions_near_the_prior_and_far_from_it) {
  test::Random random(5);
  for (const double spread : {1e-13, 1e-6, 1.0, 300.0}) {
    const Array q = test::random_distribution(random, 6);
    Array u(6);
    for (double& entry : u) {
      entry = -spread * random.uniform();
    }
    TiltMass mass;
    for (int i = 0; i < 6; ++i) {
      mass.add(q[i], power_of(u[i]));
    }
    double total = 0.0;
    double excess = 0.0;
    for (int i = 0; i < 6; ++i) {
      const Power power = mass.normalised(power_of(u[i]));
      total += q[i] * power.value;
      excess += q[i] * power.excess;
    }
    CHECK_NEAR(total, 1.0, 1e-15);
    CHECK_NEAR(excess, 0.0, 1e-15 * std::min(spread, 1.0) + 1e-28);
  }
}

TEST(scaled_exponential_and_logarithm_are_inverse_down_to_no_risk_aversion) {
  for (const double a : {0.0, 1e-200, 1e-9, 1.0, 30.0}) {
    for (const double x : {-0.5, -1e-12, 0.0, 1e-7, 2.0}) {
      // Half an ulp of e^{ax} - 1, as the logarithm magnifies it.
      const double power = scaled_expm1(a, x);
      const double allowed = 1e-15 * (4.0 * std::abs(x) + std::abs(power) * std::exp(-a * x));
      CHECK_NEAR(scaled_log1p(a, power), x, allowed);
    }
  }
}

}  // namespace kpm
