// The published prices of cells whose answer is a formula: claims that pay in some states alike.
#include <algorithm>
#include <cmath>

#include "check.hpp"
#include "random_book.hpp"
#include "selection/price_rule.hpp"

namespace kpm {
namespace {

/// A book with one claim that pays in the first states, at least one and not all.
test::RandomBook one_claim(test::Random& random, int states, int paying) {
  test::RandomBook book(random, states, 1, 4);
  for (int i = 0; i < states; ++i) {
    book.payoffs[static_cast<std::size_t>(i)] = i < paying ? 1.0 : 0.0;
  }
  return book;
}

}  // namespace

/// With demand the end of the range that earns the most, without any the price nearest to the
/// prior's; and at that price the states of either kind keep the prior's proportions.
TEST(prices_earn_the_most_and_are_else_nearest_to_the_prior) {
  test::Random random(81);
  int at_prior = 0;
  for (int trial = 0; trial < 600; ++trial) {
    const int states = 2 + random.below(7);
    const int paying = 1 + random.below(states - 1);
    const test::RandomBook book = one_claim(random, states, paying);
    const ScaledMarket market(book.market(), compile_staircases(book.market(), book.book()));
    const double prior = market.prior.head(paying).sum();
    Array low(1), high(1), demand(1);
    low[0] = random.uniform(0.02, 0.9);
    high[0] = std::min(0.98, low[0] + random.uniform(0.01, 0.6));
    demand[0] = trial % 3 - 1.0;
    Arena arena;
    PriceRule rule(market, arena);
    CHECK(rule.solve(low, high, demand));
    CHECK(rule.nearest());
    const double price = demand[0] > 0.0   ? high[0]
                         : demand[0] < 0.0 ? low[0]
                                           : std::clamp(prior, low[0], high[0]);
    at_prior += price == prior ? 1 : 0;
    for (int i = 0; i < states; ++i) {
      const double expected =
          market.prior[i] * (i < paying ? price / prior : (1.0 - price) / (1.0 - prior));
      CHECK_NEAR(rule.state_prices()[i], expected, 1e-12);
    }
    const double divergence =
        price * std::log(price / prior) + (1.0 - price) * std::log((1.0 - price) / (1.0 - prior));
    CHECK_NEAR(rule.divergence(), divergence, 1e-10);
  }
  CHECK(at_prior > 30);
}

/// A limit next to the payoff takes twice a double's digits, and a point inside: not one vertex of
/// the prices for each state, which took minutes here.
TEST(states_of_next_to_no_price_take_no_vertex_each) {
  test::Random random(83);
  for (const int paying : {1, 9'000}) {
    const test::RandomBook book = one_claim(random, 20'000, paying);
    const ScaledMarket market(book.market(), compile_staircases(book.market(), book.book()));
    const double prior = market.prior.head(paying).sum();
    const double rest = market.prior.tail(book.states - paying).sum();
    const double price = 1.0 - 1e-8;
    Arena arena;
    PriceRule rule(market, arena);
    CHECK(rule.solve(Array::Constant(1, price), Array::Ones(1), Array::Zero(1)));
    CHECK(rule.nearest());
    const Array ratio = rule.state_prices() / market.prior;
    for (int i = 0; i < book.states; ++i) {
      const double expected = i < paying ? price / prior : (1.0 - price) / rest;
      CHECK_NEAR(ratio[i] / expected, 1.0, 1e-4);  // of 1e-8: the price is met to 1e-12
    }
  }
}

/// Ranges that no distribution reaches: claims on two states that add up to more or less than one.
TEST(prices_that_no_distribution_has_are_refused) {
  test::Random random(82);
  int refused = 0;
  for (int trial = 0; trial < 300; ++trial) {
    test::RandomBook book(random, 2, 2, 4);
    book.payoffs = {1.0, 0.0, 0.0, 1.0};
    const ScaledMarket market(book.market(), compile_staircases(book.market(), book.book()));
    Array low(2), high(2);
    for (int k = 0; k < 2; ++k) {
      low[k] = random.uniform(0.0, 0.9);
      high[k] = std::min(1.0, low[k] + random.uniform(0.05, 0.5));
    }
    const double room = std::min(high[0], 1.0 - low[1]) - std::max(low[0], 1.0 - high[1]);
    if (std::abs(room) < 1e-6) {
      continue;  // a matter of digits
    }
    Arena arena;
    PriceRule rule(market, arena);
    CHECK(rule.solve(low, high, Array::Zero(2)) == (room > 0.0));
    refused += room < 0.0 ? 1 : 0;
  }
  CHECK(refused > 30);
}

}  // namespace kpm
