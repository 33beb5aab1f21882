#include <cmath>

#include "ipm/disjoint_book.hpp"
#include "risk/risk_measure.hpp"
#include "risk/separable_risk.hpp"

namespace kpm {

namespace {

/// A random demand of each claim within its staircase, and the risk of it.
struct Setting {
  explicit Setting(test::Random& random, double risk_aversion = 0.0)
      : book(test::disjoint_book(random, 200)),
        stairs(compile_staircases(smooth(risk_aversion).market(), book.book())),
        market(book.market(), stairs),
        corners(find_corners(market, stairs)),
        demand(market.claims()),
        value(market.claims()),
        risk(market) {
    RiskMeasure measure(market, arena);
    for (int k = 0; k < market.claims(); ++k) {
      const Corners& claim = corners[static_cast<std::size_t>(k)];
      const auto last = static_cast<std::size_t>(claim.pieces());
      demand[k] = random.uniform(claim.demand[last], claim.demand[0]);
    }
    Array loss(market.states());
    Array p(market.states());
    Array g(market.states());
    market.owe(demand, loss);
    loss -= market.inventory;
    rho = measure.evaluate(loss);
    measure.support(loss, rho, p, g);
    nu = measure.multiplier();
    market.value_claims(g, value);
  }

  /// r - nu + sum of parts.
  double sum(const RiskPoint& point) {
    risk.move_to(point);
    double all = point[0] - point[1] + risk.of_others().value;
    for (int k = 0; k < market.claims(); ++k) {
      all += risk.of(k, demand[k]).value;
    }
    return all;
  }

  test::RandomBook book;
  std::vector<Staircase> stairs;
  ScaledMarket market;
  std::vector<Corners> corners;
  Arena arena;
  Array demand, value;
  SeparableRisk risk;
  double rho = 0.0, nu = 0.0;

 private:
  /// No kinks and some ambiguity.
  test::RandomBook& smooth(double risk_aversion) {
    book.ambiguity = 0.05;
    if (risk_aversion > 0.0) {
      book.risk_aversion = risk_aversion;
    }
    return book;
  }
};

}  // namespace

TEST(the_risk_of_disjoint_claims_is_the_least_of_sums_over_claims) {
  test::Random random(312);
  int smooth = 0;
  for (int trial = 0; trial < 100; ++trial) {
    Setting setting(random);
    if (!(setting.nu > 1e-6)) {
      continue;
    }
    ++smooth;
    CHECK_NEAR(setting.sum({setting.rho, setting.nu}), setting.rho, 1e-11);
    for (int k = 0; k < setting.market.claims(); ++k) {
      CHECK_NEAR(setting.risk.of(k, setting.demand[k]).by_demand, setting.value[k], 1e-9);
    }
    const RiskRectangle domain = setting.risk.domain(setting.corners, whole(setting.corners));
    CHECK(domain.low[0] <= setting.rho && setting.rho <= domain.high[0]);
    CHECK(domain.low[1] <= setting.nu && setting.nu <= domain.high[1]);
    for (int other = 0; other < 10; ++other) {
      const RiskPoint point = {setting.rho + random.uniform(-2.0, 2.0) * setting.nu,
                               setting.nu * std::exp(random.uniform(-2.0, 2.0))};
      CHECK_AT_MOST(setting.rho, setting.sum(point), 1e-12);
    }
  }
  CHECK(smooth > 80);
}

TEST(the_derivatives_of_a_claims_part_are_its_changes) {
  test::Random random(313);
  int steep = 0;
  for (int trial = 0; trial < 50; ++trial) {
    Setting setting(random);
    const RiskPoint point = {setting.rho, std::max(setting.nu, 1e-3)};
    const int k = random.below(setting.market.claims());
    const double demand = setting.demand[k];
    const double step = 1e-4 * point[1];
    const auto part = [&](double r, double nu, double y) {
      setting.risk.move_to({point[0] + r, point[1] + nu});
      return setting.risk.of(k, demand + y);
    };
    const SeparableRisk::Part here = part(0.0, 0.0, 0.0);
    const auto slope = [&](const SeparableRisk::Part& above, const SeparableRisk::Part& below) {
      return (above.value - below.value) / (2.0 * step);
    };
    const double allowed = 1e-5 * (here.by_demand + std::abs(here.by_point[1])) + 1e-12;
    CHECK_NEAR(slope(part(step, 0.0, 0.0), part(-step, 0.0, 0.0)), here.by_point[0], allowed);
    CHECK_NEAR(slope(part(0.0, step, 0.0), part(0.0, -step, 0.0)), here.by_point[1], allowed);
    const SeparableRisk::Part above = part(0.0, 0.0, step);
    const SeparableRisk::Part below = part(0.0, 0.0, -step);
    CHECK_NEAR(slope(above, below), here.by_demand, allowed);
    if (here.by_demand > 1e-9) {
      ++steep;
      CHECK_NEAR((above.by_demand - below.by_demand) / (2.0 * step), here.bend, 1e-5 * here.bend);
      setting.risk.move_to(point);
      const double found = setting.risk.demand_at(k, here.by_demand);
      CHECK_NEAR(found, demand, 1e-5 * (point[1] + std::abs(demand)));
    }
  }
  CHECK(steep > 30);
}

/// Steep or flat, beside a loss that the maker hardly minds or one that ruins it.
TEST(the_demand_at_a_slope_has_that_slope) {
  test::Random random(318);
  int several = 0;
  for (int trial = 0; trial < 60; ++trial) {
    Setting setting(random, std::exp(random.uniform(-7.0, 7.0)));
    if (!(setting.nu > 1e-6)) {
      continue;
    }
    setting.risk.move_to({setting.rho, setting.nu});
    for (int k = 0; k < setting.market.claims(); ++k) {
      several += (setting.market.payoffs.row(k).array() > 0.0).count() > 1 ? 1 : 0;
      const double slope = std::exp(random.uniform(-60.0, 5.0));
      const double demand = setting.risk.demand_at(k, slope);
      // What the demand's own rounding moves.
      const SeparableRisk::Part there = setting.risk.of(k, demand);
      const double rounding = 1e-15 * (std::abs(demand) + std::abs(setting.rho) + 1.0);
      CHECK_NEAR(there.by_demand, slope, 1e-9 * slope + 4.0 * rounding * there.bend);
    }
  }
  CHECK(several > 100);
}

}  // namespace kpm
