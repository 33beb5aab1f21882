// Claims on nested sets of states: the same answers with and without matrices.
#include "cell/cell_solver.hpp"
#include "ipm/check_system.hpp"
#include "ipm/nested_book.hpp"
#include "ipm/nested_system.hpp"
#include "ipm/without_matrices.hpp"
#include "numerics/tolerances.hpp"
#include "prices/price_simplex.hpp"
#include "prices/range_check.hpp"

namespace kpm {

/// At any point and with any numbers the systems agree with the dense matrices.
TEST(nested_systems_agree_with_dense_matrices) {
  test::Random random(46);
  for (int trial = 0; trial < 300; ++trial) {
    test::RandomBook book = test::nested_book(random, 60);
    const int kind = trial % 3;
    book.ambiguity = kind == 0 ? 0.0 : kind == 1 ? random.uniform(0.01, 0.8) : 50.0;
    const ScaledMarket market(book.market(), compile_staircases(book.market(), book.book()));
    CHECK(market.nested.nested() && !market.disjoint.disjoint());
    test::check_step_system<NestedSystem>(market, random);
  }
}

TEST(cells_of_nested_claims_have_the_same_optimum_with_and_without_matrices) {
  test::Random random(47);
  int solved = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const test::RandomBook book = test::nested_book(random, 150);
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    const ScaledMarket known(book.market(), stairs);
    const ScaledMarket dense = test::without_structure(known);
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
    const ScaledMarket dense = test::without_structure(known);
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
    const ScaledMarket dense = test::without_structure(known);
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
