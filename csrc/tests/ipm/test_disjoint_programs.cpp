// Claims on disjoint sets of states: the same answers with and without matrices.
#include "cell/cell_solver.hpp"
#include "ipm/disjoint_book.hpp"
#include "ipm/disjoint_system.hpp"
#include "ipm/without_matrices.hpp"
#include "prices/price_simplex.hpp"
#include "prices/range_check.hpp"
#include "random_dense.hpp"

namespace kpm {
namespace {

ScaledMarket scaled_market(const test::RandomBook& book) {
  return {book.market(), compile_staircases(book.market(), book.book())};
}

/// Dense 1 + s H s of the risk block's roots.
Matrix dense_curvature(const ScaledMarket& market, const RiskBlock& risk, const Array& scale) {
  Matrix roots(market.claims(), risk.root_size());
  for (int k = 0; k < market.claims(); ++k) {
    risk.root(&market.payoffs(k, 0), 1.0, &roots(k, 0));
  }
  const Matrix scaled = scale.matrix().asDiagonal() * roots;
  return Matrix::Identity(market.claims(), market.claims()) + scaled * scaled.transpose();
}

}  // namespace

/// At any point and with any scales the systems agree with the dense matrices.
TEST(disjoint_systems_agree_with_dense_matrices) {
  test::Random random(42);
  for (int trial = 0; trial < 120; ++trial) {
    test::RandomBook book = test::disjoint_book(random, 60);
    const int kind = trial % 3;
    book.ambiguity = kind == 0 ? 0.0 : kind == 1 ? random.uniform(0.01, 0.8) : 50.0;
    const ScaledMarket market = scaled_market(book);
    CHECK(market.disjoint.disjoint());
    const int claims = market.claims();
    Arena arena;
    RiskBlock risk(market, arena);
    Array loss(market.states());
    Array scale(claims);
    Array slope(claims);
    Array alone(claims);
    Array weight(market.states());
    for (double& entry : loss) {
      entry = random.uniform(-1.0, 1.0);
    }
    for (int k = 0; k < claims; ++k) {
      scale[k] = random.below(3) == 0 ? 0.0 : std::pow(10.0, random.uniform(-3.0, 3.0));
      slope[k] = scale[k] > 0.0 ? random.uniform(-1.0, 1.0) : 0.0;
      alone[k] = random.below(3) == 0 ? 0.0 : random.uniform(0.0, 0.1);
    }
    for (double& entry : weight) {
      entry = std::pow(10.0, random.uniform(-4.0, 2.0));
    }
    risk.start(loss, std::pow(10.0, random.uniform(-6.0, 0.0)), 0.3);
    risk.update_residuals(loss.data());

    DisjointCurvature inner(market, risk, arena);
    Slice s = arena.array(claims);
    s = scale;
    inner.factor(s);
    const Matrix dense = dense_curvature(market, risk, scale);
    const Matrix curvature =
        dense_curvature(market, risk, Array::Ones(claims)) - Matrix::Identity(claims, claims);
    Slice x = arena.array(claims);
    Slice applied = arena.array(claims);
    x = test::random_array(random, claims);
    const Vector wanted = x.matrix();
    inner.apply(x, applied);
    const double size = curvature.diagonal().maxCoeff();
    for (int k = 0; k < claims; ++k) {
      CHECK_NEAR(applied[k], curvature.row(k).dot(wanted), 1e-9 * (1.0 + size));
      CHECK_NEAR(inner.diagonal(k), dense(k, k), 1e-9 * inner.own(k));  // only compared with 2
    }
    inner.solve_in_place(x);
    const Vector back = dense * x.matrix();
    for (int k = 0; k < claims; ++k) {
      CHECK_NEAR(back[k], wanted[k], 1e-7 * (1.0 + wanted.cwiseAbs().maxCoeff()));
    }

    // P (Xi - xi xi' / sum) P' + alone + b (1 + s H s)^-1 b.
    Matrix outer = market.payoffs * weight.matrix().asDiagonal() * market.payoffs.transpose();
    const Vector mean = market.payoffs * weight.matrix();
    outer -= mean * mean.transpose() / weight.sum();
    outer += Matrix(alone.matrix().asDiagonal());
    for (int k = 0; k < claims; ++k) {
      Slice column = arena.array(claims);
      column[k] = slope[k];
      inner.solve_in_place(column);
      outer.col(k) += (slope * column).matrix();
    }
    DisjointPrices prices(market, arena);
    Slice w = arena.array(market.states());
    Slice a = arena.array(claims);
    Slice b = arena.array(claims);
    w = weight;
    a = alone;
    b = slope;
    prices.factor(w, a, b, inner);
    const Vector multipliers = test::random_vector(random, claims);
    x = (outer * multipliers).array();  // in the range of the matrix, which may be singular
    const Vector right = x.matrix();
    prices.solve_in_place(x);
    const Vector again = outer * x.matrix();
    for (int k = 0; k < claims; ++k) {
      CHECK_NEAR(again[k], right[k], 1e-8 * (1.0 + right.cwiseAbs().maxCoeff()));
    }
  }
}

TEST(cells_of_disjoint_claims_have_the_same_optimum_with_and_without_matrices) {
  test::Random random(43);
  for (int trial = 0; trial < 40; ++trial) {
    const test::RandomBook book = test::disjoint_book(random, 150);
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
      return claim.piece(claim.above_price(0, claim.pieces(), price) - 1);
    });
    CellSolver with(known, arena);
    CellSolver without(dense, arena);
    with.solve(hull, {});
    without.solve(hull, {});
    CHECK_NEAR(with.optimum().objective, without.optimum().objective, 2e-11);
    CHECK_NEAR(with.optimum().bound, without.optimum().bound, 2e-11);
  }
}

TEST(relaxations_of_disjoint_claims_have_the_same_bound_with_and_without_matrices) {
  test::Random random(44);
  for (int trial = 0; trial < 40; ++trial) {
    const test::RandomBook book = test::disjoint_book(random, 150);
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    const ScaledMarket known(book.market(), stairs);
    const ScaledMarket dense = test::without_structure(known);
    const std::vector<Corners> corners = find_corners(known, stairs);
    CHECK_NEAR(test::relaxation_bound(known, corners), test::relaxation_bound(dense, corners),
               2e-10);
  }
}

TEST(ranges_of_disjoint_claims_are_reached_if_the_simplex_method_reaches_them) {
  test::Random random(45);
  int reached = 0;
  for (int trial = 0; trial < 400; ++trial) {
    const test::RandomBook book = test::disjoint_book(random, 30);
    const ScaledMarket known = scaled_market(book);
    Arena arena;
    RangeCheck<PriceSimplex> sums(known, arena, nullptr);
    PriceSimplex simplex(known, arena);
    sums.reset();
    simplex.reset();
    for (int k = 0; k < known.claims(); ++k) {
      const double low = random.uniform(0.0, 2.0) / known.claims();
      const double high = low + random.uniform(0.0, 1.0) / known.claims();
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
  CHECK(reached > 40 && reached < 360);
}

}  // namespace kpm
