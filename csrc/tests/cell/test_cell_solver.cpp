// Cells whose answers are formulas: two states, and claims that pay in one of them.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "cell/cell_solver.hpp"
#include "check.hpp"

namespace kpm {
namespace {

/// Two states and a claim on each, or on the first alone; inventory zero.
struct TwoStates {
  TwoStates(double prior, double risk_aversion, double ambiguity, std::vector<double> owed)
      : payoffs(std::move(owed)),
        probabilities{prior, 1.0 - prior},
        claims(static_cast<int>(payoffs.size()) / 2),
        market(scaled(risk_aversion, ambiguity)),
        hull(claims, 2 * claims, arena) {}

  ScaledMarket scaled(double risk_aversion, double ambiguity) const {
    const std::vector<double> inventory(2, 0.0);
    const Market own{
        2,        claims, payoffs.data(), probabilities.data(), inventory.data(), risk_aversion,
        ambiguity};
    // One share is all that is ordered: units of the market are its own.
    const std::vector<std::int64_t> claim{0};
    const std::vector<std::int8_t> side{1};
    const std::vector<double> price{0.5}, quantity{1.0};
    const Orders orders{1, claim.data(), side.data(), price.data(), quantity.data(), nullptr};
    return {own, compile_staircases(own, orders)};
  }

  /// -ln(sum q e^(-a wealth)) / a of what the maker owes.
  double certainty_equivalent(double first, double second) const {
    const double a = market.risk_aversion;
    return -std::log(probabilities[0] * std::exp(a * first) +
                     probabilities[1] * std::exp(a * second)) /
           a;
  }

  std::vector<double> payoffs, probabilities;
  int claims;
  ScaledMarket market;
  Arena arena;
  Hull hull;
};

}  // namespace

/// a y = logit(price) - logit(prior), or the end of the step that is nearer.
TEST(the_demand_of_a_step_is_where_the_maker_s_marginal_price_is_the_limit) {
  test::Random random(71);
  int inside = 0;
  for (int trial = 0; trial < 500; ++trial) {
    TwoStates book(random.uniform(0.05, 0.95), random.uniform(0.2, 5.0), 0.0, {1.0, 0.0});
    const double q = book.probabilities[0];
    const double price = random.uniform(0.05, 0.95);
    const double low = random.uniform(-2.0, 1.0);
    const double high = low + random.uniform(0.1, 2.0);
    set_pieces(book.hull, [&](int) { return Piece{price, price, low, high}; });
    CellSolver solver(book.market, book.arena);
    CHECK(solver.solve(book.hull, {}) == CellSolver::Outcome::kOptimal);
    const double free =
        std::log(price * (1.0 - q) / (q * (1.0 - price))) / book.market.risk_aversion;
    const double best = std::clamp(free, low, high);
    const double worth = price * best + book.certainty_equivalent(best, 0.0);
    inside += best == free ? 1 : 0;
    CHECK_NEAR(solver.optimum().demand[0], best, 1e-5);
    CHECK_NEAR(solver.optimum().objective, worth, 1e-10);
    CHECK_NEAR(solver.optimum().risk, -book.certainty_equivalent(solver.optimum().demand[0], 0.0),
               1e-13);
    CHECK_AT_MOST(worth, solver.optimum().bound, 1e-12);
    CHECK_NEAR(solver.optimum().state_prices[0], price, 1e-10);
  }
  CHECK(inside > 50);
}

/// Prices of the two claims add up to one, and revenue is linear in the one that is free.
TEST(prices_of_a_flat_earn_the_most_that_its_ranges_and_a_distribution_allow) {
  test::Random random(72);
  int reached = 0;
  for (int trial = 0; trial < 500; ++trial) {
    TwoStates book(random.uniform(0.05, 0.95), random.uniform(0.2, 5.0), 0.0, {1.0, 0.0, 0.0, 1.0});
    double low[2], high[2], demand[2];
    for (int k = 0; k < 2; ++k) {
      low[k] = random.uniform(0.0, 0.8);
      high[k] = std::min(1.0, low[k] + random.uniform(0.05, 0.5));
      demand[k] = random.uniform(-1.0, 1.0);
    }
    const double least = std::max(low[0], 1.0 - high[1]);
    const double most = std::min(high[0], 1.0 - low[1]);
    if (std::abs(most - least) < 1e-6) {
      continue;  // a matter of digits
    }
    set_pieces(book.hull, [&](int k) { return Piece{low[k], high[k], demand[k], demand[k]}; });
    CellSolver solver(book.market, book.arena);
    CHECK(solver.reachable(book.hull) == (least < most));
    if (least > most) {
      continue;
    }
    ++reached;
    CHECK(solver.solve(book.hull, {}) == CellSolver::Outcome::kOptimal);
    const double price = demand[0] > demand[1] ? most : least;
    const double worth = demand[0] * price + demand[1] * (1.0 - price) +
                         book.certainty_equivalent(demand[0], demand[1]);
    CHECK_NEAR(solver.optimum().objective, worth, 1e-10);
    CHECK_AT_MOST(worth, solver.optimum().bound, 1e-12);
    CHECK_NEAR(solver.optimum().state_prices[0], price, 1e-8 / std::abs(demand[0] - demand[1]));
  }
  CHECK(reached > 100);
}

/// The maker keeps out of a claim whose price one of the ball's distributions says.
TEST(no_trade_is_supported_at_prices_within_the_ball) {
  test::Random random(73);
  int supported = 0;
  for (int trial = 0; trial < 500; ++trial) {
    TwoStates book(random.uniform(0.05, 0.95), 1.0, random.uniform(0.01, 0.5), {1.0, 0.0});
    const double q = book.probabilities[0];
    const double price = random.uniform(0.05, 0.95);
    const double away =
        price * std::log(price / q) + (1.0 - price) * std::log((1.0 - price) / (1.0 - q));
    if (std::abs(away - book.market.ambiguity) < 1e-6) {
      continue;  // a matter of digits
    }
    set_pieces(book.hull, [&](int) { return Piece{price, price, -1.0, 1.0}; });
    CellSolver solver(book.market, book.arena);
    const bool within = away < book.market.ambiguity;
    CHECK(solver.reachable(book.hull));
    CHECK(solver.no_trade_supported(book.hull) == within);
    solver.solve(book.hull, {});
    CHECK((std::abs(solver.optimum().demand[0]) < 1e-6) == within);
    supported += within ? 1 : 0;
  }
  CHECK(supported > 100 && supported < 400);
}

/// Whichever of those that were tried it kept.
TEST(the_multipliers_of_a_cell_are_those_of_its_optimum) {
  test::Random random(73);
  for (int trial = 0; trial < 500; ++trial) {
    const double ambiguity = trial % 2 == 0 ? 0.0 : random.uniform(0.001, 0.5);
    const double aversion = std::pow(10.0, random.uniform(-3.0, 3.0));
    TwoStates book(random.uniform(0.05, 0.95), aversion, ambiguity, {1.0, 0.0, 0.0, 1.0});
    const double price = random.uniform(0.05, 0.95);
    const double low = random.uniform(-2.0, 1.0);
    const double high = low + (trial % 5 == 0 ? 0.0 : std::pow(10.0, random.uniform(-6.0, 1.0)));
    const bool two = trial % 3 == 0;  // steps
    set_pieces(book.hull, [&](int k) {
      if (k == 1 && !two) {
        return Piece{0.0, 1.0, 0.0, 0.0};
      }
      const double limit = k == 0 ? price : 1.0 - price;
      return Piece{limit, low == high ? 1.0 : limit, low, high};
    });
    CellSolver solver(book.market, book.arena);
    CellSolver::Settings settings;
    settings.max_iterations = 1 + random.below(12);  // stopped short, other multipliers are tried
    solver.solve(book.hull, settings);
    const CellOptimum& optimum = solver.optimum();
    const Multipliers expected =
        multipliers_of(book.market, optimum.worst_case, optimum.marginal_state_prices,
                       optimum.multipliers, optimum.divergence);
    const Multipliers& own = solver.multipliers();
    CHECK((own.worst_case() == expected.worst_case()).all());
    CHECK((own.marginal_state_prices() == expected.marginal_state_prices()).all());
    CHECK((own.lambda() == expected.lambda()).all());
    CHECK(own.constant == expected.constant);
  }
}

}  // namespace kpm
