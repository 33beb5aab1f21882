// The inverse of a basis's few equations: the same rows, columns and answers as a tableau.
#include <Eigen/LU>
#include <algorithm>
#include <vector>

#include "book/staircase.hpp"
#include "ipm/strike_book.hpp"
#include "prices/check_ranges.hpp"
#include "prices/concave_simplex.hpp"
#include "prices/price_basis.hpp"
#include "prices/price_simplex.hpp"
#include "random_book.hpp"
#include "random_dense.hpp"

namespace kpm {
namespace {

ScaledMarket scaled_market(const test::RandomBook& book) {
  return {book.market(), compile_staircases(book.market(), book.book())};
}

ScaledMarket with_tableau(ScaledMarket market) {
  market.by_state.resize(0, 0);
  return market;
}

ScaledMarket with_basis(ScaledMarket market) {
  market.by_state = market.payoffs.transpose();
  return market;
}

/// A basis beside the matrix of all equations, sum xi = 1 and pi - P xi = 0, in its variables.
struct Beside {
  explicit Beside(const ScaledMarket& of) : market(of), basis(of, arena) {
    basis.start();
    const int all = of.states() + of.claims();
    equations = Matrix::Zero(of.claims() + 1, all);
    equations.row(0).head(of.states()).setOnes();
    equations.block(1, 0, of.claims(), of.states()) = -of.payoffs;
    equations.rightCols(of.claims()).bottomRows(of.claims()).setIdentity();
    basic.push_back(0);
    for (int j = 1; j < all; ++j) {
      (j < of.states() ? nonbasic : basic).push_back(j);
    }
  }

  /// The whole tableau.
  Matrix tableau() const {
    const auto rows = static_cast<Eigen::Index>(basic.size());
    Matrix square(rows, rows);
    Matrix others(rows, static_cast<Eigen::Index>(nonbasic.size()));
    for (Eigen::Index r = 0; r < rows; ++r) {
      square.col(r) = equations.col(basic[static_cast<std::size_t>(r)]);
    }
    for (Eigen::Index c = 0; c < others.cols(); ++c) {
      others.col(c) = equations.col(nonbasic[static_cast<std::size_t>(c)]);
    }
    return square.partialPivLu().solve(others);
  }

  const ScaledMarket& market;
  Arena arena;
  PriceBasis<double> basis;
  Matrix equations;
  std::vector<int> basic, nonbasic;
};

/// A concave function of a price: a few slopes that fall.
struct Function {
  Function(test::Random& random, double around) {
    for (int n = 0; n < 5; ++n) {
      points.push_back(around + 0.02 * (n + random.uniform()) - 0.06);
      slopes.push_back(2.0 * random.uniform() - 1.0);
    }
    slopes.push_back(-5.0);
    std::sort(slopes.rbegin(), slopes.rend());
    slopes.front() = 5.0;
  }
  double at(double price) const {
    double sum = 0.0;
    double from = 0.0;
    for (std::size_t n = 0; n < slopes.size(); ++n) {
      const double to = n < points.size() ? std::min(points[n], price) : price;
      sum += slopes[n] * (to - from);
      from = to;
      if (to == price) {
        break;
      }
    }
    return sum;
  }

  std::vector<double> points, slopes;
};

double sum_of(const ConcaveSimplex& simplex, const std::vector<Function>& functions) {
  double sum = 0.0;
  for (std::size_t k = 0; k < functions.size(); ++k) {
    sum += functions[k].at(simplex.price(static_cast<int>(k)));
  }
  return sum;
}

}  // namespace

/// After any exchanges, whichever kinds of variables they exchange, and after a refresh.
TEST(rows_and_columns_of_a_basis_are_those_of_the_tableau) {
  test::Random random(91);
  for (int trial = 0; trial < 60; ++trial) {
    const test::RandomBook book(random, 2 + random.below(12), 1 + random.below(12), 3);
    const ScaledMarket market = with_basis(scaled_market(book));
    Beside both(market);
    for (int exchange = 0; exchange < 25 && !both.nonbasic.empty(); ++exchange) {
      const Matrix tableau = both.tableau();
      const int c = random.below(static_cast<int>(both.nonbasic.size()));
      Eigen::Index r = 0;
      tableau.col(c).cwiseAbs().maxCoeff(&r);
      int& entering = both.nonbasic[static_cast<std::size_t>(c)];
      int& leaving = both.basic[static_cast<std::size_t>(r)];
      both.basis.load_row(leaving);
      for (Eigen::Index n = 0; n < tableau.cols(); ++n) {
        const int j = both.nonbasic[static_cast<std::size_t>(n)];
        CHECK_NEAR(both.basis.nonbasic(j), tableau(r, n), 1e-9);
      }
      both.basis.load_column(entering);
      for (Eigen::Index n = 0; n < tableau.rows(); ++n) {
        const int j = both.basic[static_cast<std::size_t>(n)];
        CHECK_NEAR(both.basis.basic(j), tableau(n, c), 1e-9);
      }
      both.basis.exchange(leaving, entering);
      std::swap(entering, leaving);
      CHECK(exchange % 8 != 7 || both.basis.refresh());
    }
  }
}

/// Prices within ranges, the proof that there are none, and the most that any earn.
TEST(a_basis_finds_the_prices_and_maxima_of_a_tableau) {
  test::Random random(92);
  int met = 0;
  int compared = 0;
  int missed = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const test::StrikeBook book(random, 200);
    const ScaledMarket small = with_basis(scaled_market(book));
    const ScaledMarket large = with_tableau(small);
    Arena arena;
    PriceSimplex by_basis(small, arena);
    PriceSimplex by_tableau(large, arena);
    for (int change = 0; change < 6; ++change) {
      const Array inside = test::random_distribution(random, small.states());
      const double off = change < 3 ? 0.0 : 1e-3;
      for (int k = 0; k < small.claims(); ++k) {
        const double price =
            small.payoffs.row(k).dot(inside.matrix()) + off * (random.uniform() - 0.5);
        const double low = price - 1e-3 * random.uniform();
        const double high = price + 1e-3 * random.uniform();
        by_basis.set_range(k, low, high);
        by_tableau.set_range(k, low, high);
      }
      const bool reached = by_basis.feasible();
      if (!reached) {
        ++missed;
        double proof = 0.0;
        Array paid = Array::Zero(small.states());
        for (int k = 0; k < small.claims(); ++k) {
          const double lambda = by_basis.farkas_multiplier(k);
          proof += std::max(lambda * by_basis.range_low(k), lambda * by_basis.range_high(k));
          paid -= lambda * small.payoffs.row(k).transpose().array();
        }
        CHECK(proof + paid.maxCoeff() < 0.0);
        continue;
      }
      ++met;
      test::check_ranges(small, by_basis, 1e-12);
      const Array claim_weights = test::random_array(random, small.claims());
      const Array state_weights = test::random_array(random, small.states());
      const double most = by_basis.maximise(claim_weights, state_weights);
      test::check_ranges(small, by_basis, 1e-12);
      if (by_tableau.feasible()) {  // rounding may hide it from a tableau
        ++compared;
        CHECK_NEAR(most, by_tableau.maximise(claim_weights, state_weights), 1e-10);
      }
    }
  }
  CHECK(compared > met - 3 && met > 100 && missed > 50);
}

/// The same with twice the digits, where prices have no room at all.
TEST(a_precise_basis_meets_prices_that_are_given) {
  test::Random random(93);
  for (int trial = 0; trial < 20; ++trial) {
    const test::StrikeBook book(random, 200);
    const ScaledMarket market = with_basis(scaled_market(book));
    Arena arena;
    PrecisePriceSimplex simplex(market, arena);
    const Array inside = test::random_distribution(random, market.states());
    for (int k = 0; k < market.claims(); ++k) {
      const double price = market.payoffs.row(k).dot(inside.matrix());
      simplex.set_range(k, price - 1e-14, price + 1e-14);
    }
    CHECK(simplex.feasible());
    CHECK_AT_MOST(simplex.violation(), 0.0, 1e-15);
  }
}

TEST(a_basis_and_a_tableau_find_the_same_maximum_of_concave_functions) {
  test::Random random(94);
  for (int trial = 0; trial < 40; ++trial) {
    const test::StrikeBook book(random, 200);
    const ScaledMarket small = with_basis(scaled_market(book));
    const ScaledMarket large = with_tableau(small);
    Arena arena;
    ConcaveSimplex by_basis(small, arena);
    ConcaveSimplex by_tableau(large, arena);
    const Array inside = test::random_distribution(random, small.states());
    std::vector<Function> functions;
    const auto set = [&](int k) {
      const auto& function = functions[static_cast<std::size_t>(k)];
      by_basis.set_function(k, function.points, function.slopes);
      by_tableau.set_function(k, function.points, function.slopes);
    };
    for (int k = 0; k < small.claims(); ++k) {
      functions.emplace_back(random, small.payoffs.row(k).dot(inside.matrix()));
      set(k);
    }
    for (int change = 0; change < 12; ++change) {
      CHECK(by_basis.maximise() && by_tableau.maximise());
      const double most = sum_of(by_tableau, functions);
      CHECK_NEAR(sum_of(by_basis, functions), most, 1e-9);
      if (change == 3) {
        by_basis.keep();
      }
      const int k = random.below(small.claims());
      const Function before = functions[static_cast<std::size_t>(k)];
      functions[static_cast<std::size_t>(k)] = Function(random, before.points[2]);
      set(k);
      if (change == 3) {  // and back to what is kept
        CHECK(by_basis.maximise());
        by_basis.restore();
        functions[static_cast<std::size_t>(k)] = before;
        set(k);
        const int pivots = by_basis.pivots();
        CHECK(by_basis.maximise() && by_basis.pivots() == pivots);
        CHECK_NEAR(sum_of(by_basis, functions), most, 1e-9);
      }
    }
  }
}

}  // namespace kpm
