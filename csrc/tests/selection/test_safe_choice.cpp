// What is published where the search holds nothing that is right, and whether it can be stopped.
#include <algorithm>
#include <cstddef>
#include <vector>

#include "check.hpp"
#include "mechanisms/competitive/equilibrium.hpp"
#include "numerics/stop_token.hpp"
#include "random_book.hpp"
#include "risk/risk_measure.hpp"
#include "selection/selection.hpp"

namespace kpm {
namespace {

/// Orders that cross so far that the maker's own prices lose money.
test::RandomBook crossed_book(test::Random& random) {
  test::RandomBook book(random, 5, 4, 40);
  for (std::size_t j = 0; j < book.price.size(); ++j) {
    const double* const row = book.payoffs_of(static_cast<int>(book.claim[j]));
    const auto [low, high] = std::minmax_element(row, row + book.states);
    const double share = book.side[j] > 0 ? random.uniform(0.5, 0.9) : random.uniform(0.1, 0.5);
    book.price[j] = *low + (*high - *low) * share;
  }
  book.risk_aversion = 10.0;
  return book;
}

}  // namespace

/// The token of the limits has stopped, as after a deadline. What loses nothing is made all the
/// same, unless an interruption ends it; within so many operations even then.
TEST(a_clearing_that_loses_nothing_outlives_a_deadline_but_not_an_interruption) {
  test::Random random(92);
  int asked = 0;
  for (int trial = 0; trial < 40; ++trial) {
    const test::RandomBook book = crossed_book(random);
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    const ScaledMarket market(book.market(), stairs);
    StopToken token({});
    token.stop();
    Arena arena;
    RiskMeasure measure(market, arena);
    const double no_trade = -measure.evaluate(-market.inventory);
    int made = 0;
    const auto choose = [&](bool wanted, double operations) {
      StopToken interruption([wanted] { return wanted; });
      interruption.poll_now();
      Selection selection(market, stairs, token, interruption, [&](Checkpoint& checkpoint) {
        ++made;
        checkpoint.pass(operations);
        return find_equilibrium(market, stairs, checkpoint);
      });
      return selection.choose({}, {});
    };
    const Choice fast = choose(true, 1.0);
    if (made == 0) {
      CHECK(fast.worth >= no_trade - 1e-10);  // the maker's own prices will do
      continue;
    }
    ++asked;
    CHECK(fast.worth >= no_trade - 1e-10);
    const Choice brief = choose(false, 1.0);
    CHECK(brief.worth == fast.worth);
    const Choice stopped = choose(false, 1e10);
    CHECK(!stopped.by_rule);
    CHECK(stopped.worth <= fast.worth);
  }
  CHECK(asked > 5);
}

}  // namespace kpm
