// Claims on nested sets of states: the same answers with and without matrices.
#include "cell/cell_solver.hpp"
#include "ipm/nested_book.hpp"
#include "ipm/nested_system.hpp"
#include "ipm/without_matrices.hpp"
#include "numerics/tolerances.hpp"
#include "prices/price_simplex.hpp"
#include "prices/range_check.hpp"
#include "random_dense.hpp"

namespace kpm {
namespace {

/// H = P (dg/dL) P' from the risk block's roots.
Matrix dense_curvature(const ScaledMarket& market, const RiskBlock& risk) {
  Matrix roots(market.claims(), risk.root_size());
  for (int k = 0; k < market.claims(); ++k) {
    risk.root(&market.payoffs(k, 0), 1.0, &roots(k, 0));
  }
  return roots * roots.transpose();
}

ScaledMarket without_knowledge(ScaledMarket market) {
  market.nested = {};
  return market;
}

}  // namespace

/// At any point and with any numbers the systems agree with the dense matrices.
TEST(nested_systems_agree_with_dense_matrices) {
  test::Random random(46);
  for (int trial = 0; trial < 300; ++trial) {
    test::RandomBook book = test::nested_book(random, 60);
    const int kind = trial % 3;
    book.ambiguity = kind == 0 ? 0.0 : kind == 1 ? random.uniform(0.01, 0.8) : 50.0;
    const ScaledMarket market(book.market(), compile_staircases(book.market(), book.book()));
    CHECK(market.nested.nested() && !market.disjoint.disjoint());
    const int claims = market.claims();
    Arena arena;
    RiskBlock risk(market, arena);
    Array loss = test::random_array(random, market.states());
    Slice scale = arena.array(claims);
    Slice slope = arena.array(claims);
    Slice alone = arena.array(claims);
    Slice weight = arena.array(market.states());
    for (int k = 0; k < claims; ++k) {
      scale[k] = random.below(3) == 0 ? 0.0 : std::pow(10.0, random.uniform(-3.0, 3.0));
      slope[k] = scale[k] > 0.0 && random.below(4) > 0 ? -random.uniform() : 0.0;
      alone[k] = random.below(3) == 0 ? 0.0 : random.uniform(0.0, 0.1);
    }
    for (double& entry : weight) {
      entry = std::pow(10.0, random.uniform(-4.0, 2.0));
    }
    risk.start(loss, std::pow(10.0, random.uniform(-6.0, 0.0)), 0.3);
    risk.update_residuals(loss);

    NestedSystem system(market, risk, arena);
    system.factor(weight, alone, slope, scale);
    const Matrix curvature = dense_curvature(market, risk);
    const double size = curvature.diagonal().maxCoeff();
    Slice y = arena.array(claims);
    Slice applied = arena.array(claims);
    y = test::random_array(random, claims);
    system.apply(y, applied);
    const Vector wanted = curvature * y.matrix();
    for (int k = 0; k < claims; ++k) {
      CHECK_NEAR(applied[k], wanted[k], 1e-9 * (1.0 + size));
      const double square = scale[k] * scale[k];
      double unshared = 0.0;  // without what all states share, which is subtracted
      for (int i = 0; i < market.states(); ++i) {
        const RiskBlock::Curvature of = risk.curvature(i);
        unshared += market.payoffs(k, i) * (of.of_g + of.of_p * of.gp * of.gp);
      }
      CHECK_NEAR(system.diagonal(k), 1.0 + square * curvature(k, k),
                 1e-11 * (1.0 + square * unshared));  // only compared with 2
    }

    // (prices, b; -b, values), and right-hand sides in its range: it may be singular.
    const Matrix diagonal = Matrix(scale.matrix().asDiagonal());
    Matrix prices = market.payoffs * weight.matrix().asDiagonal() * market.payoffs.transpose();
    const Vector mean = market.payoffs * weight.matrix();
    prices -= mean * mean.transpose() / weight.sum();
    prices += Matrix(alone.matrix().asDiagonal());
    const Matrix values = Matrix::Identity(claims, claims) + diagonal * curvature * diagonal;
    const auto price_rows = [&](const ArrayView& x, const ArrayView& e) -> Array {
      return (prices * x.matrix()).array() + slope * e;
    };
    const auto value_rows = [&](const ArrayView& x, const ArrayView& e) -> Array {
      return (values * e.matrix()).array() - slope * x;
    };
    Slice x = arena.array(claims);
    Slice e = arena.array(claims);
    const Array known_x = test::random_array(random, claims);
    const Array known_e = test::random_array(random, claims);
    const Array of_prices = price_rows(known_x, known_e);
    const Array of_values = value_rows(known_x, known_e);
    x = of_prices;
    e = of_values;
    system.solve_in_place(x, e);
    const double most = 1.0 + of_prices.abs().maxCoeff() + of_values.abs().maxCoeff();
    CHECK_NEAR((price_rows(x, e) - of_prices).abs().maxCoeff(), 0.0, 1e-10 * most);
    CHECK_NEAR((value_rows(x, e) - of_values).abs().maxCoeff(), 0.0, 1e-10 * most);
  }
}

TEST(cells_of_nested_claims_have_the_same_optimum_with_and_without_matrices) {
  test::Random random(47);
  int solved = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const test::RandomBook book = test::nested_book(random, 150);
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    const ScaledMarket known(book.market(), stairs);
    const ScaledMarket dense = without_knowledge(known);
    const std::vector<Corners> corners = find_corners(known, stairs);
    Arena arena;
    Hull hull(known.claims(), 2 * known.claims(), arena);
    const Array xi = test::random_distribution(random, known.states());
    set_pieces(hull, [&](int k) {
      const Corners& claim = corners[static_cast<std::size_t>(k)];
      const double price = known.payoffs.row(k).dot(xi.matrix());
      const int flat = claim.above_price(0, claim.pieces(), price) - 1;
      return claim.piece(random.below(10) > 0 ? flat : std::min(flat + 1, claim.pieces() - 1));
    });
    CellSolver with(known, arena);
    CellSolver without(dense, arena);
    with.solve(hull, {});
    without.solve(hull, {});
    const bool reached = with.optimum().primal_residual <= kPriceTolerance;
    CHECK(reached == (without.optimum().primal_residual <= kPriceTolerance));
    if (reached) {
      ++solved;
      CHECK_NEAR(with.optimum().objective, without.optimum().objective, 2e-11);
      CHECK_NEAR(with.optimum().bound, without.optimum().bound, 2e-11);
    }
  }
  CHECK(solved > 10);
}

TEST(relaxations_of_nested_claims_have_the_same_bound_with_and_without_matrices) {
  test::Random random(48);
  for (int trial = 0; trial < 60; ++trial) {
    const test::RandomBook book = test::nested_book(random, 150);
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    const ScaledMarket known(book.market(), stairs);
    const ScaledMarket dense = without_knowledge(known);
    const std::vector<Corners> corners = find_corners(known, stairs);
    CHECK_NEAR(test::relaxation_bound(known, corners), test::relaxation_bound(dense, corners),
               2e-11);
  }
}

TEST(ranges_of_nested_claims_are_reached_if_the_simplex_method_reaches_them) {
  test::Random random(50);
  int reached = 0;
  for (int trial = 0; trial < 600; ++trial) {
    const test::RandomBook book = test::nested_book(random, 30);
    const ScaledMarket known(book.market(), compile_staircases(book.market(), book.book()));
    const ScaledMarket dense = without_knowledge(known);
    Arena arena;
    RangeCheck<PriceSimplex> sums(known, arena, nullptr);
    RangeCheck<PriceSimplex> simplex(dense, arena, nullptr);
    sums.reset();
    simplex.reset();
    const Array xi = test::random_distribution(random, known.states());
    for (int k = 0; k < known.claims(); ++k) {
      const double price = known.payoffs.row(k).dot(xi.matrix()) + random.uniform(-0.03, 0.03);
      const double low = std::clamp(price - random.uniform(0.0, 0.1), 0.0, 1.0);
      const double high = std::clamp(price + random.uniform(0.0, 0.1), low, 1.0);
      sums.set_range(k, low, high);
      simplex.set_range(k, low, high);
    }
    CHECK(sums.feasible() == simplex.feasible());
    if (sums.feasible()) {
      ++reached;
      continue;
    }
    CHECK(test::farkas_sum(known, sums) < 0.0);
  }
  CHECK(reached > 60 && reached < 540);
}

}  // namespace kpm
