#include "numerics/checkpoint.hpp"
#include "numerics/stop_token.hpp"
#include "prices/check_ranges.hpp"
#include "prices/price_simplex.hpp"
#include "prices/reachable_prices.hpp"
#include "random_book.hpp"
#include "random_dense.hpp"

namespace kpm {
namespace {

ScaledMarket scaled_market(const test::RandomBook& book) {
  return {book.market(), compile_staircases(book.market(), book.book())};
}

}  // namespace

TEST(ranges_around_reachable_prices_are_feasible_and_met) {
  test::Random random(31);
  for (int trial = 0; trial < 500; ++trial) {
    const test::RandomBook book(random, 2 + random.below(7), 1 + random.below(5), 3);
    const ScaledMarket market = scaled_market(book);
    Arena arena;
    PriceSimplex simplex(market, arena);
    simplex.reset();
    const Array inside = test::random_distribution(random, market.states());
    for (int k = 0; k < market.claims(); ++k) {
      const double price = market.payoffs.row(k).dot(inside.matrix());
      simplex.set_range(k, std::max(0.0, price - 0.1 * random.uniform()),
                        std::min(1.0, price + 0.1 * random.uniform()));
    }
    CHECK(simplex.feasible());
    const Array xi = test::check_ranges(market, simplex, 1e-11);
    // And the maximum over them is at least what the point inside gives.
    Array claim_weights = test::random_array(random, market.claims());
    const Array state_weights = test::random_array(random, market.states());
    double worth = (state_weights * inside).sum();
    for (int k = 0; k < market.claims(); ++k) {
      worth += claim_weights[k] * market.payoffs.row(k).dot(inside.matrix());
    }
    CHECK_AT_MOST(worth, simplex.maximise(claim_weights, state_weights), 1e-11);
  }
}

TEST(infeasible_ranges_have_a_farkas_proof) {
  test::Random random(32);
  int proofs = 0;
  for (int trial = 0; trial < 1000; ++trial) {
    const test::RandomBook book(random, 2 + random.below(5), 2 + random.below(4), 3);
    const ScaledMarket market = scaled_market(book);
    Arena arena;
    PriceSimplex simplex(market, arena);
    simplex.reset();
    for (int k = 0; k < market.claims(); ++k) {
      const double low = random.uniform();
      simplex.set_range(k, low, std::min(1.0, low + 0.2));
    }
    if (simplex.feasible()) {
      continue;
    }
    ++proofs;
    double proof = 0.0;
    Array paid = Array::Zero(market.states());
    for (int k = 0; k < market.claims(); ++k) {
      const double lambda = simplex.farkas_multiplier(k);
      proof += std::max(lambda * simplex.range_low(k), lambda * simplex.range_high(k));
      paid -= lambda * market.payoffs.row(k).transpose().array();
    }
    CHECK(proof + paid.maxCoeff() < 0.0);
  }
  CHECK(proofs > 100);
}

TEST(the_closed_form_for_disjoint_claims_agrees_with_the_simplex) {
  test::Random random(33);
  int apart = 0;
  for (int trial = 0; trial < 500; ++trial) {
    const int states = 2 + random.below(6);
    test::RandomBook book(random, states, states - random.below(2), 3);
    for (int k = 0; k < book.claims; ++k) {
      for (int i = 0; i < states; ++i) {
        book.payoffs[static_cast<std::size_t>(k) * static_cast<std::size_t>(states) +
                     static_cast<std::size_t>(i)] = i == k ? 1.0 : 0.0;
      }
    }
    const ScaledMarket market = scaled_market(book);
    Arena arena;
    ReachablePrices reachable(market, arena);
    reachable.reset();
    PriceSimplex simplex(market, arena);
    simplex.reset();
    bool closed = true;
    for (int k = 0; k < market.claims() && closed; ++k) {
      const double low = std::min(1.0, 1.8 * random.uniform() / states);
      const double high = low + 2.0 * random.uniform() / states;
      simplex.set_range(k, low, std::min(high, 1.0));
      closed = reachable.enter(k, low, std::min(high, 1.0));
      CHECK(closed == simplex.feasible());
    }
    apart += closed ? 0 : 1;
  }
  CHECK(apart > 20);
}

/// A price with room on either side goes straight from one end of its range to the other: no pivot.
TEST(a_step_without_a_pivot_looks_at_the_limits) {
  test::Random random(34);
  test::RandomBook book(random, 3, 1, 3);
  book.payoffs = {0.0, 0.5, 1.0};
  const ScaledMarket market = scaled_market(book);
  int polls = 0;
  StopToken token([] { return true; }, [&](double) { ++polls; });
  Checkpoint checkpoint(token);
  Arena arena;
  PriceSimplex simplex(market, arena, &checkpoint);
  simplex.set_range(0, 0.4, 0.45);
  CHECK(simplex.feasible());
  const Array states = Array::Zero(3);
  for (const double weight : {1.0, -1.0, 1.0, -1.0}) {
    const int before = polls;
    const double end = weight > 0.0 ? 0.45 : 0.4;
    CHECK_NEAR(simplex.maximise(Array::Constant(1, weight), states), weight * end, 1e-12);
    CHECK(before == 0 || polls == before + 1);
  }
  CHECK(polls > 3);
}

}  // namespace kpm
