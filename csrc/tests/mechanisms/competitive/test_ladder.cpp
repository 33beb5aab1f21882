// Ladders against their definition.
#include <algorithm>
#include <cmath>
#include <vector>

#include "check.hpp"
#include "mechanisms/competitive/ladder.hpp"
#include "random_book.hpp"

namespace kpm {

namespace {

/// In half of the books claims pay 0 or 1, and ladders have the limits of their staircases.
test::RandomBook random_book(test::Random& random, bool unit) {
  test::RandomBook book(random, 4, 3, 30);
  if (unit) {
    std::fill(book.payoffs.begin(), book.payoffs.end(), 0.0);
    for (int k = 0; k < book.claims; ++k) {
      book.payoffs[static_cast<std::size_t>(k) * 5] = 1.0;  // claim k on state k
    }
  }
  return book;
}

/// The demand of a rung in scaled units, cut at `reach`.
double cut(const ScaledMarket& market, int k, double shares, double reach) {
  return std::clamp(market.demand(k, shares), -reach, reach);
}

}  // namespace

TEST(a_ladder_has_the_limits_and_the_cut_demand_of_its_staircase) {
  test::Random random(91);
  int cuts = 0;
  for (int trial = 0; trial < 100; ++trial) {
    const bool unit = trial % 2 == 0;
    const test::RandomBook book = random_book(random, unit);
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    const ScaledMarket market(book.market(), stairs);
    const double reach = trial % 3 == 0 ? kInfinity : random.uniform(0.01, 0.3);
    const Array prices = Array::Constant(market.claims(), random.uniform());
    const std::vector<Ladder> ladders = find_ladders(market, stairs, prices, reach);
    for (int k = 0; k < market.claims(); ++k) {
      const Ladder& ladder = ladders[static_cast<std::size_t>(k)];
      const Staircase& claim =
          stairs[static_cast<std::size_t>(market.original[static_cast<std::size_t>(k)])];
      CHECK(!unit || ladder.limit.begin() == claim.limit.begin());
      CHECK(ladder.limit.size() == claim.limit.size());
      CHECK(ladder.rungs() == static_cast<int>(claim.demand.size()));
      for (std::size_t l = 0; l < claim.limit.size(); ++l) {
        CHECK(ladder.limit[l] == market.price(k, claim.limit[l]));
      }
      bool any = false;
      for (std::size_t l = 0; l < claim.demand.size(); ++l) {
        CHECK(ladder.demand[l] == cut(market, k, claim.demand[l], reach));
        CHECK(ladder.demand.is_cut(l) == (std::abs(market.demand(k, claim.demand[l])) >= reach));
        any = any || ladder.demand.is_cut(l);
      }
      CHECK(ladder.demand.is_cut() == any);
      cuts += any ? 1 : 0;
    }
  }
  CHECK(cuts > 20);
}

TEST(a_ladder_is_worth_its_limits_times_the_heights_of_its_steps) {
  test::Random random(92);
  for (int trial = 0; trial < 100; ++trial) {
    const test::RandomBook book = random_book(random, trial % 2 == 0);
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    const ScaledMarket market(book.market(), stairs);
    const double reach = trial % 3 == 0 ? kInfinity : random.uniform(0.01, 0.3);
    const Array prices = Array::Constant(market.claims(), random.uniform());
    for (const Ladder& ladder : find_ladders(market, stairs, prices, reach)) {
      CHECK(ladder.origin == ladder.rung(prices[0]));
      CHECK(ladder.value[static_cast<std::size_t>(ladder.origin)] == 0.0);
      for (std::size_t l = 0; l < ladder.limit.size(); ++l) {
        const double height = ladder.demand[l] - ladder.demand[l + 1];
        CHECK_NEAR(ladder.value[l] - ladder.value[l + 1], ladder.limit[l] * height, 1e-14);
      }
    }
  }
}

TEST(the_first_rung_within_a_demand_is_that_of_a_search_from_the_top) {
  test::Random random(93);
  for (int trial = 0; trial < 100; ++trial) {
    const test::RandomBook book = random_book(random, trial % 2 == 0);
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    const ScaledMarket market(book.market(), stairs);
    const double reach = trial % 3 == 0 ? kInfinity : random.uniform(0.01, 0.3);
    for (const Ladder& ladder :
         find_ladders(market, stairs, Array::Constant(market.claims(), 0.5), reach)) {
      const auto any = static_cast<std::size_t>(random.below(ladder.rungs()));
      for (const double most : {ladder.demand[any], random.uniform(-0.5, 0.5), 2.0, -2.0}) {
        std::size_t first = 0;
        while (first < ladder.demand.size() && ladder.demand[first] > most) {
          ++first;
        }
        CHECK(ladder.demand.first_within(most) == first);
      }
    }
  }
}

}  // namespace kpm
