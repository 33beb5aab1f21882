#include <algorithm>
#include <cmath>

#include "book/corners.hpp"
#include "numerics/entropy.hpp"
#include "random_book.hpp"
#include "risk/dual_bound.hpp"
#include "risk/risk_measure.hpp"

namespace kpm {

/// Weak duality: whatever the multipliers, no clearing of the book is worth more than they prove.
TEST(any_multipliers_bound_every_clearing) {
  test::Random random(24);
  for (int trial = 0; trial < 300; ++trial) {
    const int n = 2 + random.below(5);
    const test::RandomBook book(random, n, 1 + random.below(4), 5 + random.below(30));
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    const ScaledMarket scaled(book.market(), stairs);
    const std::vector<Corners> corners = find_corners(scaled, stairs);
    Arena arena;
    RiskMeasure measure(scaled, arena);

    Multipliers multipliers(scaled);
    // p is a worst case of the measure, so in the ball; g is another distribution.
    Array loss(n);
    for (double& entry : loss) {
      entry = random.uniform(-1.0, 1.0);
    }
    measure.evaluate(loss);
    multipliers.worst_case() = measure.worst_case() / measure.worst_case().sum();
    multipliers.marginal_state_prices() = test::random_distribution(random, n);
    if ((multipliers.worst_case() == 0.0).any()) {
      multipliers.marginal_state_prices() = multipliers.worst_case();
    }
    for (double& entry : multipliers.lambda()) {
      entry = random.uniform(-1.0, 1.0);
    }
    const double divergence =
        relative_entropy_of(multipliers.marginal_state_prices(), multipliers.worst_case()) /
        scaled.risk_aversion;
    multipliers.set(scaled, divergence);
    const double bound = multipliers.bound(corners, whole(corners));

    for (int clearing = 0; clearing < 20; ++clearing) {
      const Array xi = test::random_distribution(random, n);
      Array owed = -scaled.inventory;
      double revenue = 0.0;
      for (int k = 0; k < scaled.claims(); ++k) {
        const double price = scaled.payoffs.row(k).dot(xi.matrix());
        const Corners& claim = corners[static_cast<std::size_t>(k)];
        int piece = 0;
        while (claim.piece(piece).price_high < price) {
          ++piece;
        }
        const Piece part = claim.piece(piece);
        const double demand = random.uniform(part.demand_low, part.demand_high);
        revenue += price * demand;
        owed += scaled.payoffs.row(k).transpose().array() * demand;
      }
      CHECK_AT_MOST(revenue - measure.evaluate(owed), bound, 1e-12);
    }
  }
}

/// Of a long run blocks are left out: the corner found is the first of the best, as in a scan, and
/// no corner is worth more than the bound on its block.
TEST(the_best_corner_is_the_first_of_the_best) {
  test::Random random(32);
  for (int trial = 0; trial < 2000; ++trial) {
    const int size = 2 * (1 + random.below(trial % 2 == 0 ? 200 : 12));
    const double digits = trial % 3 == 0 ? 8.0 : 1e6;  // few digits: corners that tie
    Corners corners;
    for (int c = 0; c < size; ++c) {
      corners.price.push_back(std::round(digits * random.uniform()) / digits);
      corners.demand.push_back(std::round(digits * random.uniform(-1.0, 1.0)) / digits);
    }
    std::sort(corners.price.begin(), corners.price.end());
    std::sort(corners.demand.rbegin(), corners.demand.rend());
    Multipliers multipliers(2, 1);
    multipliers.value() = random.uniform(-0.5, 1.5);
    multipliers.lambda() = random.uniform(-2.0, 2.0);
    const int first = random.below(size - 1);
    const int last = first + random.below(size - 1 - first);
    const auto worth = [&](int c) {
      const auto corner = static_cast<std::size_t>(c);
      return (corners.price[corner] - multipliers.value()[0]) *
             (corners.demand[corner] + multipliers.lambda()[0]);
    };
    int best = first;
    for (int c = first; c <= last + 1; ++c) {
      best = worth(c) > worth(best) ? c : best;
      CHECK_AT_MOST(multipliers.worth(0, corners.price[static_cast<std::size_t>(c)],
                                      corners.demand[static_cast<std::size_t>(c)]),
                    multipliers.worth_at_most(0, corners, first, last + 1), 0.0);
    }
    const int found = multipliers.best_corner(0, corners, first, last);
    CHECK(worth(found) == worth(best));
    // Zeroes of the worth all lie on the lines through (G, -lambda): any of them will do.
    CHECK(found == best || worth(best) <= 0.0);
  }
}

/// Wealth that dwarfs the book is summed with as many roundings as there are states: the bound is
/// no less than exact. Where there is none it has no such allowance.
TEST(a_bound_includes_the_rounding_of_wealth) {
  test::Random random(25);
  for (int trial = 0; trial < 200; ++trial) {
    const int n = 2 + random.below(600);
    test::RandomBook book(random, n, 1 + random.below(3), 8);
    const double wealth = trial % 4 == 0 ? 0.0 : std::pow(10.0, random.below(8));
    for (double& entry : book.inventory) {
      entry *= wealth;
    }
    const ScaledMarket scaled(book.market(), compile_staircases(book.market(), book.book()));
    Multipliers multipliers(scaled);
    multipliers.marginal_state_prices() = test::random_distribution(random, n);
    multipliers.set(scaled, 0.0);
    long double sum = 0.0L;
    long double mass = 0.0L;
    for (int i = 0; i < n; ++i) {
      const long double price = multipliers.marginal_state_prices()[i];
      sum += price * scaled.inventory[i];
      mass += price;
    }
    const auto exact = static_cast<double>(sum / mass);
    CHECK_AT_MOST(exact, multipliers.constant, 1e-16 * exact);
    CHECK_AT_MOST(multipliers.constant, exact, 1e-15 * (n + 100) * exact);
  }
}

}  // namespace kpm
