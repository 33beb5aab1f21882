#include <cmath>
#include <cstring>
#include <vector>

#include "check.hpp"
#include "numerics/inner_products.hpp"
#include "numerics/state_sums.hpp"

namespace kpm {
namespace {

/// A distribution and numbers by state; the entries past the states have no weight.
struct States {
  Eigen::Index count, padded;
  Array p, phi, u, growth, bits;

  explicit States(test::Random& random)
      : count(1 + random.below(30)),
        padded(StateSums::padded(count)),
        p(Array::Zero(padded)),
        phi(Array::Zero(padded)),
        u(Array::Zero(padded)),
        growth(Array::Zero(padded)),
        bits(Array::Zero(count)) {
    for (Eigen::Index i = 0; i < count; ++i) {
      p[i] = random.uniform();
      phi[i] = random.uniform(-1.0, 1.0);
      u[i] = random.uniform();
      growth[i] = random.uniform(-0.9, 2.0);
      bits[i] = random.below(2);
    }
    p /= p.sum();
  }
};

/// All that the passes of one version give.
std::vector<double> results_of(const StateSums& version, const States& of, double t) {
  std::vector<double> all;
  const auto add = [&](const Array& values) {
    all.insert(all.end(), values.data(), values.data() + values.size());
  };
  Array out(of.padded);
  const PsiSums psi = version.psi(0.7, of.u.data(), of.growth.data(), of.p.data(), of.phi.data(),
                                  of.padded, out.data());
  add(out);
  all.insert(all.end(), {psi.mean, psi.covariance, psi.square, psi.phi_skew, psi.psi_skew});
  const Array moved = out;
  for (const bool small : {true, false}) {
    const double scale = small ? 0.1 : t;
    Array one(of.count);
    version.expm1(small, scale, 0.3, of.phi.data(), of.count, one.data());
    add(one);
    const TiltSums sums = version.tilt(small, 0.1 * scale, 0.5 * scale, of.p.data(), of.phi.data(),
                                       moved.data(), of.padded, out.data());
    add(out);
    all.insert(all.end(), {sums.excess, sums.first_moment, sums.psi, sums.squares, sums.cubes});
  }
  double powers[StateSums::kPowers];
  version.powers(of.p.data(), of.phi.data(), of.padded, out.data(), powers);
  add(out);
  all.insert(all.end(), powers, powers + StateSums::kPowers);
  const ExponentialMoments moments = version.exponential(t, of.p.data(), of.phi.data(), of.padded);
  all.insert(all.end(), {moments.excess, moments.first, moments.second});
  const Array left = (2.0 + of.phi).eval();
  const double rise = 0.005 * t;
  const LogarithmSums logarithms =
      version.logarithms(rise, rise, of.p.data(), left.data(), of.u.data(), of.padded);
  all.insert(all.end(), {logarithms.value, logarithms.first, logarithms.second, logarithms.third});
  const ThirdMoments third = version.moments(0.4, of.p.data(), left.data(), of.u.data(), of.padded);
  all.insert(all.end(), {third.first, third.second, third.third});
  const WaterSums water = version.water(0.3, 0.1 * t, of.growth.data(), of.u.data(), of.count);
  all.insert(all.end(), {water.above, water.count, water.floors});
  const Array q = (0.5 + 0.499 * of.phi).eval();
  const Array r = (1.0 - q).eval();
  RootStart start;
  start.from = 0.2;
  start.to = 0.6;
  start.of[0] = 1.0;
  version.roots(0.03 * std::abs(t), start, q.data(), r.data(), of.padded, out.data());
  add(out);
  const BitMasses masses = version.bits(of.bits.data(), of.p.data(), of.count);
  all.insert(all.end(), {masses.only ? 1.0 : 0.0, masses.of_one});
  return all;
}

}  // namespace

TEST(passes_for_one_processor_have_the_bits_of_the_portable_ones) {
  const StateSums& version = state_sums();  // the portable one where there is no other
  test::Random random(71);
  for (int trial = 0; trial < 2000; ++trial) {
    const States of(random);
    const double t = random.uniform(-40.0, 40.0);
    const std::vector<double> one = results_of(portable::kStateSums, of, t);
    const std::vector<double> other = results_of(version, of, t);
    CHECK(one.size() == other.size() &&
          std::memcmp(one.data(), other.data(), one.size() * sizeof(double)) == 0);
  }
}

TEST(passes_over_the_states_are_the_sums_they_are_called) {
  test::Random random(72);
  const StateSums& version = state_sums();
  for (int trial = 0; trial < 500; ++trial) {
    const States of(random);
    Array psi(of.padded);
    Array excess(of.padded);
    const PsiSums before = version.psi(0.5, of.u.data(), of.growth.data(), of.p.data(),
                                       of.phi.data(), of.padded, psi.data());
    const double tau = random.uniform(-0.5, 0.5);
    const double t = random.uniform(0.0, 1.0);
    const TiltSums sums = version.tilt(false, tau, t, of.p.data(), of.phi.data(), psi.data(),
                                       of.padded, excess.data());
    double expected[10] = {};
    for (Eigen::Index i = 0; i < of.count; ++i) {
      const double p = of.p[i];
      const double x = of.phi[i];
      const double y = 0.5 * of.u[i] * of.growth[i];
      const double growth = std::expm1(tau * x + t * y);
      const double terms[10] = {p * y,
                                p * y * x,
                                p * y * y,
                                p * y * x * x,
                                p * y * y * x,
                                p * growth,
                                p * growth * x,
                                p * (1.0 + growth) * y,
                                p * (1.0 + growth) * (x + y) * (x + y),
                                p * (1.0 + growth) * (x + y) * (x + y) * (x + y)};
      for (int k = 0; k < 10; ++k) {
        expected[k] += terms[k];
      }
    }
    const double found[10] = {
        before.mean, before.covariance, before.square, before.phi_skew, before.psi_skew,
        sums.excess, sums.first_moment, sums.psi,      sums.squares,    sums.cubes};
    for (int k = 0; k < 10; ++k) {
      CHECK_NEAR(found[k], expected[k], 1e-14);
    }
    const ExponentialMoments moments =
        version.exponential(2.0, of.p.data(), of.phi.data(), of.padded);
    const Array power = (2.0 * of.phi).exp();
    CHECK_NEAR(moments.excess, (of.p * (power - 1.0)).sum(), 1e-14);
    CHECK_NEAR(moments.first, (of.p * of.phi * (power - 1.0)).sum(), 1e-14);
    CHECK_NEAR(moments.second, (of.p * of.phi * of.phi * power).sum(), 1e-14);
    const Array left = (2.0 + of.phi).eval();
    const double rise = 0.2 * tau;
    const Array after = (left + rise - 0.2 * of.u).eval();
    const LogarithmSums logs =
        version.logarithms(rise, 0.2, of.p.data(), left.data(), of.u.data(), of.padded);
    CHECK_NEAR(logs.value, (of.p * (after / left).log()).sum(), 1e-14);
    CHECK_NEAR(logs.first, (of.p / after).sum(), 1e-14);
    CHECK_NEAR(logs.second, (of.p / after.square()).sum(), 1e-13);
    CHECK_NEAR(logs.third, (of.p / after.cube()).sum(), 1e-12);
    const Array c = of.u - tau;
    const ThirdMoments third =
        version.moments(tau, of.p.data(), left.data(), of.u.data(), of.padded);
    CHECK_NEAR(third.first, (of.p * c).sum(), 1e-14);
    CHECK_NEAR(third.second, (of.p * c.square()).sum(), 1e-14);
    CHECK_NEAR(third.third, (of.p * c.cube() / left).sum(), 1e-14);
    const Array over = (2.0 * (of.u - 0.3) - of.growth).head(of.count);
    const WaterSums water = version.water(0.3, 2.0, of.growth.data(), of.u.data(), of.count);
    CHECK_NEAR(water.above, (over > 0.0).select(of.u.head(of.count), 0.0).sum(), 1e-14);
    CHECK(water.count == static_cast<double>((over > 0.0).count()));
    CHECK_NEAR(water.floors, (over > 0.0).select(0.0, of.growth.head(of.count)).sum(), 1e-14);
    double powers[StateSums::kPowers];
    version.powers(of.p.data(), of.phi.data(), of.padded, excess.data(), powers);
    Array raised = of.p;
    for (const double sum : powers) {
      raised *= of.phi;
      CHECK_NEAR(sum, raised.sum(), 1e-15);
    }
    CHECK((excess == raised).all());
  }
}

TEST(only_zeros_and_ones_are_bits) {
  test::Random random(73);
  for (int trial = 0; trial < 1000; ++trial) {
    States of(random);
    const BitMasses bits = state_sums().bits(of.bits.data(), of.p.data(), of.count);
    CHECK(bits.only);
    CHECK_NEAR(bits.of_one, (of.bits * of.p.head(of.count)).sum(), 1e-15);
    const double others[] = {0.5, -1.0, 2.0, 1.0 - 1e-15, 1e-300, 1e300};
    of.bits[random.below(static_cast<int>(of.count))] = others[random.below(6)];
    CHECK(!state_sums().bits(of.bits.data(), of.p.data(), of.count).only);
  }
}

TEST(roots_are_where_the_relative_entropy_is_what_it_may_be) {
  test::Random random(73);
  for (int trial = 0; trial < 4000; ++trial) {
    const double s = std::exp(random.uniform(-9.0, 1.5));
    Array q(4);
    for (double& mass : q) {  // less than e^-Omega: the outcome is not certain
      mass = std::exp(-0.5 * s * s) / (1.0 + std::exp(random.uniform(-8.0, 8.0)));
    }
    const Array r = 1.0 - q;
    Array d(4);
    RootStart start;
    state_sums().roots(s, start, q.data(), r.data(), 4, d.data());
    for (int lane = 0; lane < 4; ++lane) {
      const auto x = static_cast<long double>(q[lane]) + d[lane];
      const auto y = static_cast<long double>(r[lane]) - d[lane];
      const auto own = static_cast<long double>(d[lane]);
      const long double entropy = x * std::log1p(own / q[lane]) + y * std::log1p(-own / r[lane]);
      const long double slope = std::log(x) - std::log(static_cast<long double>(q[lane])) -
                                std::log(y) + std::log(static_cast<long double>(r[lane]));
      const auto missed = static_cast<double>((entropy - 0.5L * s * s) / slope);
      CHECK_NEAR(missed, 0.0, 4e-16);
      // Each as if alone, and from wherever it starts.
      const Array same_q = Array::Constant(4, q[lane]);
      const Array same_r = Array::Constant(4, r[lane]);
      Array alone(4);
      state_sums().roots(s, start, same_q.data(), same_r.data(), 4, alone.data());
      CHECK(alone[0] == d[lane]);
      RootStart other;
      other.from = 0.0;
      other.to = 1.0;
      other.of[0] = random.uniform(0.7, 1.3);
      state_sums().roots(s, other, same_q.data(), same_r.data(), 4, alone.data());
      CHECK_NEAR(alone[0], d[lane], 1e-15);
    }
  }
}

TEST(there_is_no_root_where_an_outcome_may_be_certain) {
  const Array q = Array::Constant(4, 0.9);
  const Array r = Array::Constant(4, 0.1);
  Array d(4);
  state_sums().roots(2.0, RootStart(), q.data(), r.data(), 4, d.data());
  CHECK(d.isNaN().all());
}

}  // namespace kpm
