#include <algorithm>
#include <vector>

#include "numerics/checkpoint.hpp"
#include "numerics/stop_token.hpp"
#include "prices/concave_simplex.hpp"
#include "random_book.hpp"

namespace kpm {
namespace {

/// A concave, piecewise linear function of a price.
struct Function {
  std::vector<double> points, slopes;

  double at(double price) const {  // zero at zero
    double sum = 0.0;
    double from = 0.0;
    for (std::size_t n = 0; n < slopes.size(); ++n) {
      const double to = n < points.size() ? std::min(points[n], price) : price;
      sum += slopes[n] * std::max(to - from, 0.0);
      from = std::max(from, to);
    }
    return sum;
  }

  /// The greatest value of the function and of lambda times the price.
  double most(double lambda) const {
    double best = std::max(0.0, at(1.0) + lambda);
    for (const double point : points) {
      best = std::max(best, at(point) + lambda * point);
    }
    return best;
  }
};

Function random_function(test::Random& random) {
  Function function;
  const int count = random.below(6);
  for (int n = 0; n < count; ++n) {
    function.points.push_back(0.1 * (1 + random.below(9)));
  }
  std::sort(function.points.begin(), function.points.end());
  const auto same = std::unique(function.points.begin(), function.points.end());
  function.points.erase(same, function.points.end());
  for (std::size_t n = 0; n <= function.points.size(); ++n) {
    function.slopes.push_back(2.0 * random.uniform() - 1.0);
  }
  std::sort(function.slopes.rbegin(), function.slopes.rend());
  return function;
}

/// By what the primal and the dual value differ.
double gap(const ScaledMarket& market, const ConcaveSimplex& simplex,
           const std::vector<Function>& functions) {
  double primal = 0.0;
  double dual = 0.0;
  Array lambda(market.claims());
  Array xi(market.states());
  for (int i = 0; i < market.states(); ++i) {
    xi[i] = simplex.state_price(i);
  }
  CHECK_AT_MOST(-xi.minCoeff(), 0.0, 1e-11);
  CHECK_NEAR(xi.sum(), 1.0, 1e-11);
  for (int k = 0; k < market.claims(); ++k) {
    const Function& function = functions[static_cast<std::size_t>(k)];
    CHECK_NEAR(simplex.price(k), market.payoffs.row(k).dot(xi.matrix()), 1e-11);
    lambda[k] = simplex.multiplier(k);
    primal += function.at(simplex.price(k));
    dual += function.most(lambda[k]);
  }
  Array push(market.states());
  market.owe(lambda, push);
  return dual + (-push).maxCoeff() - primal;
}

}  // namespace

/// By strong duality: the multipliers' bound is attained. A change of a few functions leads from
/// one maximum to the next, in fewer pivots than from the beginning.
TEST(the_maximum_of_concave_functions_attains_the_bound_of_its_multipliers) {
  test::Random random(41);
  int from_last = 0;
  int from_first = 0;
  for (int trial = 0; trial < 300; ++trial) {
    const test::RandomBook book(random, 2 + random.below(12), 1 + random.below(12), 3);
    const ScaledMarket market{book.market(), compile_staircases(book.market(), book.book())};
    Arena arena;
    ConcaveSimplex simplex(market, arena);
    std::vector<Function> functions;
    for (int k = 0; k < market.claims(); ++k) {
      functions.push_back(random_function(random));
      simplex.set_function(k, functions.back().points, functions.back().slopes);
    }
    for (int change = 0; change < 4; ++change) {
      const int before = simplex.pivots();
      CHECK(simplex.maximise());
      CHECK_NEAR(gap(market, simplex, functions), 0.0, 1e-10);
      if (change > 0) {
        from_last += simplex.pivots() - before;
        ConcaveSimplex afresh(market, arena);
        for (int k = 0; k < market.claims(); ++k) {
          const Function& function = functions[static_cast<std::size_t>(k)];
          afresh.set_function(k, function.points, function.slopes);
        }
        CHECK(afresh.maximise());
        from_first += afresh.pivots();
      }
      const int claim = random.below(market.claims());
      Function& changed = functions[static_cast<std::size_t>(claim)];
      changed = random_function(random);
      simplex.set_function(claim, changed.points, changed.slopes);
    }
  }
  CHECK(3 * from_last < 2 * from_first);
}

/// A change that is taken back, as by the splits that are tried of a box, leaves nothing behind.
TEST(a_simplex_goes_back_to_the_maximum_that_it_has_kept) {
  test::Random random(43);
  for (int trial = 0; trial < 50; ++trial) {
    const test::RandomBook book(random, 30, 12, 3);
    const ScaledMarket market{book.market(), compile_staircases(book.market(), book.book())};
    Arena arena;
    ConcaveSimplex simplex(market, arena);
    std::vector<Function> functions;
    for (int k = 0; k < market.claims(); ++k) {
      functions.push_back(random_function(random));
      simplex.set_function(k, functions.back().points, functions.back().slopes);
    }
    CHECK(simplex.maximise());
    simplex.keep();
    Array kept(market.claims());
    for (int k = 0; k < market.claims(); ++k) {
      kept[k] = simplex.multiplier(k);
    }
    for (int change = 0; change < 3; ++change) {
      const int claim = random.below(market.claims());
      const auto at = static_cast<std::size_t>(claim);
      std::vector<Function> changed = functions;
      changed[at] = random_function(random);
      simplex.set_function(claim, changed[at].points, changed[at].slopes);
      CHECK(simplex.maximise());
      CHECK_NEAR(gap(market, simplex, changed), 0.0, 1e-10);
      simplex.restore();
      simplex.set_function(claim, functions[at].points, functions[at].slopes);
      const int before = simplex.pivots();
      CHECK(simplex.maximise());
      CHECK(simplex.pivots() == before);
      for (int k = 0; k < market.claims(); ++k) {
        CHECK(simplex.multiplier(k) == kept[k]);
      }
    }
  }
}

TEST(a_simplex_that_forgets_finds_the_bits_of_a_new_one) {
  test::Random random(42);
  for (int trial = 0; trial < 50; ++trial) {
    const test::RandomBook book(random, 8, 8, 3);
    const ScaledMarket market{book.market(), compile_staircases(book.market(), book.book())};
    Arena arena;
    ConcaveSimplex used(market, arena);
    ConcaveSimplex fresh(market, arena);
    for (int k = 0; k < market.claims(); ++k) {
      const Function function = random_function(random);
      used.set_function(k, function.points, function.slopes);
    }
    used.maximise();
    used.forget();
    for (int k = 0; k < market.claims(); ++k) {
      const Function function = random_function(random);
      used.set_function(k, function.points, function.slopes);
      fresh.set_function(k, function.points, function.slopes);
    }
    CHECK(used.maximise() && fresh.maximise());
    for (int k = 0; k < market.claims(); ++k) {
      CHECK(used.multiplier(k) == fresh.multiplier(k) && used.price(k) == fresh.price(k));
    }
  }
}

/// A step from one breakpoint of a price to another pivots nothing, but takes as long to find.
TEST(every_step_of_the_concave_simplex_looks_at_the_limits) {
  test::Random random(43);
  int looks = 0;
  StopToken token([] { return true; }, [&](double) { ++looks; });
  Checkpoint checkpoint(token);
  for (int trial = 0; trial < 50; ++trial) {
    const test::RandomBook book(random, 8, 4, 3);
    const ScaledMarket market{book.market(), compile_staircases(book.market(), book.book())};
    Arena arena;
    ConcaveSimplex simplex(market, arena, &checkpoint);
    looks = 0;
    for (int change = 0; change < 8; ++change) {
      for (int k = 0; k < market.claims(); ++k) {
        const Function function = random_function(random);
        simplex.set_function(k, function.points, function.slopes);
      }
      CHECK(simplex.maximise());
    }
    CHECK(looks == simplex.pivots());
  }
}

}  // namespace kpm
