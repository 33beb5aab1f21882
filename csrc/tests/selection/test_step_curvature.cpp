#include <cmath>

#include "ipm/disjoint_book.hpp"
#include "risk/risk_measure.hpp"
#include "selection/step_curvature.hpp"

namespace kpm {

/// By the claims' sets and by their payoffs: products, pivots and solutions. All claims of a
/// covering market together move nothing: the last pivot is rounding.
TEST(the_curvature_along_disjoint_claims_is_that_of_their_payoffs) {
  test::Random random(51);
  int smooth = 0;
  int complete = 0;
  for (int trial = 0; trial < 300; ++trial) {
    test::RandomBook book = test::disjoint_book(random, 60);
    if (random.below(4) != 0) {
      book.ambiguity = std::exp(random.uniform(-6.0, -2.0));
    }
    const ScaledMarket market(book.market(), compile_staircases(book.market(), book.book()));
    ScaledMarket any = market;
    any.disjoint = DisjointClaims();
    CHECK(market.disjoint.disjoint());
    Arena arena;
    RiskMeasure measure(market, arena);
    Array loss(market.states());
    Array p(market.states());
    Array g(market.states());
    for (double& entry : loss) {
      entry = random.uniform(-1.0, 1.0);
    }
    measure.support(loss, measure.evaluate(loss), p, g);
    if (!(measure.multiplier() > 1e-2)) {
      continue;  // next to a kink
    }
    ++smooth;
    std::vector<int> claims;
    for (int k = market.claims() - 1; k >= 0; --k) {
      if (trial % 2 == 0 || random.below(3) != 0) {
        claims.push_back(k);
      }
    }
    const auto size = static_cast<Eigen::Index>(claims.size());
    const auto sparse = StepCurvature::of(market, claims);
    const auto dense = StepCurvature::of(any, claims);
    Array change(size);
    std::vector<Eigen::Index> open;
    for (Eigen::Index k = 0; k < size; ++k) {
      change[k] = random.uniform(-1.0, 1.0);
      if (trial % 2 == 0 || random.below(4) != 0) {
        open.push_back(k);
      }
    }
    Array products = Array::Zero(size);
    Array expected = products;
    Array solution = change;
    sparse->move_to(p, g, measure.multiplier());
    dense->move_to(p, g, measure.multiplier());
    sparse->take_product(change, products);
    dense->take_product(change, expected);
    // Squares and what is taken from them are as large as this.
    const double scale = market.risk_aversion + (g.square() / p).sum() / measure.multiplier();
    CHECK_AT_MOST((products - expected).abs().maxCoeff(), 0.0, 1e-14 * scale);
    sparse->factor(open);
    dense->factor(open);
    double least = scale;
    for (std::size_t j = 0; j < open.size(); ++j) {
      const auto row = static_cast<Eigen::Index>(j);
      CHECK_NEAR(sparse->pivot_of(row), dense->pivot_of(row), 1e-14 * scale * scale / least);
      least = std::min(least, dense->pivot_of(row));
    }
    if (trial % 2 == 0 && market.disjoint.covering()) {
      ++complete;
      CHECK_AT_MOST(sparse->pivot_of(size - 1), 0.0, 1e-13 * scale);
      continue;
    }
    sparse->solve_in_place(solution.data());
    Array moved = Array::Zero(size);
    Array rest = change;
    for (std::size_t j = 0; j < open.size(); ++j) {
      moved[open[j]] = solution[static_cast<Eigen::Index>(j)];
      rest[open[j]] = change[static_cast<Eigen::Index>(j)];
    }
    dense->take_product(moved, rest);
    const double length = moved.abs().maxCoeff();
    CHECK_AT_MOST(rest(open).abs().maxCoeff(), 0.0, 1e-13 * scale * length);
  }
  CHECK(smooth > 200 && complete > 20);
}

}  // namespace kpm
