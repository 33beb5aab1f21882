// Many more claims than states: with factors of the states' size and of the claims', the same.
#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "cell/cell_solver.hpp"
#include "ipm/narrow_system.hpp"
#include "ipm/without_matrices.hpp"
#include "random_book.hpp"
#include "random_dense.hpp"
#include "search/tree/relaxation_program.hpp"

namespace kpm {
namespace {

struct Book {
  Book(test::Random& random, int states, int claims, int orders)
      : book(random, states, claims, orders),
        stairs(compile_staircases(book.market(), book.book())),
        dense(test::without_structure(ScaledMarket(book.market(), stairs))),
        narrow(dense),
        corners(find_corners(dense, stairs)) {
    dense.narrow = false;
    narrow.narrow = true;  // also where there are so few states that every payoff is on two lines
  }

  test::RandomBook book;
  std::vector<Staircase> stairs;
  ScaledMarket dense, narrow;
  std::vector<Corners> corners;
};

Book random_book(test::Random& random) {
  const int states = 3 + random.below(6);  // on two every claim pays on one, and they are nested
  const int claims = 3 * states + 24 + random.below(20);
  return {random, states, claims, 4 * claims};
}

/// Zero for some, else of any size up to 10^digits and down to its inverse.
double any_size(test::Random& random, double digits) {
  return random.below(4) == 0 ? 0.0 : std::pow(10.0, random.uniform(-digits, digits));
}

}  // namespace

/// To 1e-12 where the system is well enough conditioned for it; elsewhere what it says holds.
TEST(narrow_systems_solve_what_the_matrices_say) {
  test::Random random(52);
  for (int trial = 0; trial < 300; ++trial) {
    const double digits = trial % 3;
    const int claims = 5 + random.below(40);
    const int prices = random.below(5) == 0 ? 0 : 1 + random.below(8);
    const int risks = prices > 0 && random.below(5) == 0 ? 0 : 1 + random.below(16);
    Arena arena;
    MatrixSlice price_rows = arena.matrix(claims, prices);
    MatrixSlice risk_rows = arena.matrix(claims, risks);
    Slice alone = arena.array(claims);
    Slice slope = arena.array(claims);
    int fixed = 0;  // prices with no room, no more than can be fixed at once
    for (int k = 0; k < claims; ++k) {
      const double scale = any_size(random, digits);
      for (int i = 0; i < prices; ++i) {
        price_rows(k, i) = random.uniform(-1.0, 1.0);
      }
      for (int i = 0; i < risks; ++i) {
        risk_rows(k, i) = scale * random.uniform(-1.0, 1.0);
      }
      alone[k] = any_size(random, digits);
      slope[k] = risks == 0 || prices == 0 ? 0.0 : random.uniform(-1.0, 1.0) * std::min(scale, 1.0);
      if (alone[k] == 0.0 && ++fixed > prices / 2) {
        alone[k] = 1.0;
      }
    }
    Matrix system = Matrix::Zero(2 * claims, 2 * claims);
    const Matrix of_prices = price_rows * price_rows.transpose();
    const Matrix of_risks = risk_rows * risk_rows.transpose();
    system.topLeftCorner(claims, claims) = of_prices + Matrix(alone.matrix().asDiagonal());
    system.topRightCorner(claims, claims) = slope.matrix().asDiagonal();
    system.bottomLeftCorner(claims, claims) = -Matrix(slope.matrix().asDiagonal());
    system.bottomRightCorner(claims, claims) = of_risks + Matrix::Identity(claims, claims);
    const Vector right = test::random_vector(random, 2 * claims);

    NarrowSystem narrow(claims, prices, risks, arena);
    narrow.factor(price_rows, risk_rows, alone, slope);
    Slice x = arena.array(claims);
    Slice e = arena.array(claims);
    x = right.head(claims).array();
    e = right.tail(claims).array();
    narrow.solve_in_place(x, e);
    Vector found(2 * claims);
    found << x.matrix(), e.matrix();
    const Vector wanted = system.partialPivLu().solve(right);
    const double size = 1.0 + wanted.cwiseAbs().maxCoeff();
    const Vector left = system * found - right;
    for (int k = 0; k < 2 * claims; ++k) {
      CHECK_NEAR(left[k], 0.0, 1e-12 * (1.0 + system.cwiseAbs().row(k).maxCoeff()) * size);
      if (digits == 0.0) {
        CHECK_NEAR(found[k], wanted[k], 1e-12 * size * size);
      }
      if (k < claims) {
        CHECK_NEAR(narrow.risk_diagonal(k), 1.0 + of_risks(k, k), 1e-14 * (1.0 + of_risks(k, k)));
      }
    }
  }
}

TEST(cells_of_narrow_markets_have_the_same_optimum_with_either_factor) {
  test::Random random(53);
  for (int trial = 0; trial < 60; ++trial) {
    const Book book = random_book(random);
    Arena arena;
    Hull hull(book.narrow.claims(), 2 * book.narrow.claims(), arena);
    const Array xi = test::random_distribution(random, book.narrow.states());
    set_pieces(hull, [&](int k) {
      const Corners& claim = book.corners[static_cast<std::size_t>(k)];
      const double price = book.narrow.payoffs.row(k).dot(xi.matrix());
      return claim.piece(claim.above_price(0, claim.pieces(), price) - 1);
    });
    CellSolver narrow(book.narrow, arena);
    CellSolver dense(book.dense, arena);
    CHECK(narrow.solve(hull, {}) == dense.solve(hull, {}));
    CHECK_NEAR(narrow.optimum().objective, dense.optimum().objective, 2e-11);
    CHECK_NEAR(narrow.optimum().bound, dense.optimum().bound, 2e-11);
  }
}

/// From this start some stop short, with either factor: then their bounds differ by their gaps.
TEST(relaxations_of_narrow_markets_have_the_same_bound_with_either_factor) {
  test::Random random(54);
  int solved_narrow = 0;
  int solved_dense = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const Book book = random_book(random);
    const Box box = whole(book.corners);
    const auto solve = [&](const ScaledMarket& market) {
      Arena arena;
      RelaxationProgram program(market, book.corners, arena);
      program.load(box, nullptr, -kInfinity, 0.0, 0);
      program.forget();
      int iterations = 0;
      run_predictor_corrector(program, 1e-11, Attempt{0.1, 0.2}, 200, iterations, [] {});
      return std::pair(program.bound(), program.gap());
    };
    const auto [narrow, narrow_gap] = solve(book.narrow);
    const auto [dense, dense_gap] = solve(book.dense);
    CHECK_NEAR(narrow, dense, narrow_gap + dense_gap);
    solved_narrow += narrow_gap <= 1e-10 ? 1 : 0;
    solved_dense += dense_gap <= 1e-10 ? 1 : 0;
  }
  CHECK(solved_dense >= 50);
  CHECK(solved_narrow >= solved_dense);
}

}  // namespace kpm
