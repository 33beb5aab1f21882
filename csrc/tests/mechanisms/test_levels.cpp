#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "mechanisms/levels.hpp"
#include "mechanisms/netting.hpp"
#include "random_book.hpp"

namespace kpm {
namespace {

/// A book in which one order is so many times as large as it was, and where `crossed` is false
/// nobody both buys and sells at a limit.
test::RandomBook book_with(test::Random& random, double times, bool crossed) {
  test::RandomBook book(random, 4, 3, 1 + random.below(40));
  for (std::size_t j = 0; !crossed && j < book.side.size(); ++j) {
    book.side[j] = book.claim[j] % 2 == 0 ? 1 : -1;
  }
  book.quantity[static_cast<std::size_t>(random.below(static_cast<int>(book.quantity.size())))] *=
      times;
  return book;
}

}  // namespace

TEST(giants_are_seen_without_a_list_where_the_list_shows_them) {
  test::Random random(91);
  int giants = 0;
  int none = 0;
  for (int trial = 0; trial < 600; ++trial) {
    const double times = std::pow(10.0, random.uniform(0.0, 8.0));
    const test::RandomBook book = book_with(random, times, trial % 2 == 0);
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    const Levels levels(book.market(), stairs);
    const bool any = levels.largest > levels.giant();
    CHECK(has_giants(book.market(), stairs) == any);
    (any ? giants : none) += 1;
  }
  CHECK(giants > 50 && none > 50);
}

TEST(the_smaller_half_is_summed_without_sorting) {
  test::Random random(92);
  for (int trial = 0; trial < 200; ++trial) {
    const test::RandomBook book = book_with(random, 1.0, true);
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    const Levels levels(book.market(), stairs);
    std::vector<double> sorted(levels.notional.begin(), levels.notional.end());
    std::sort(sorted.begin(), sorted.end());
    const std::size_t half = std::max<std::size_t>(1, sorted.size() / 2);
    const double sum =
        sorted.empty() ? 1.0
                       : std::accumulate(sorted.begin(),
                                         sorted.begin() + static_cast<std::ptrdiff_t>(half), 0.0);
    CHECK_NEAR(levels.smaller_half(), sum, 1e-13 * sum);
  }
}

TEST(netting_leaves_no_zero_below_zero) {
  test::Random random(92);
  int none = 0;
  for (int trial = 0; trial < 300; ++trial) {
    const test::RandomBook book(random, 3, 1, 2 + random.below(8));
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    const Staircase& claim = stairs.front();
    const double base =
        claim.demand[static_cast<std::size_t>(random.below(static_cast<int>(claim.demand.size())))];
    const std::optional<Netting> net = count_from(claim, base, 1e-3);
    CHECK(net.has_value());
    if (!net) {
      continue;
    }
    const std::size_t limits = claim.limit.size();
    CHECK(!std::signbit(net->staircase.sold[0]) && !std::signbit(net->staircase.bought[limits]));
    none += net->staircase.sold[0] == 0.0 && net->staircase.bought[limits] == 0.0 ? 1 : 0;
  }
  CHECK(none > 100);
}

TEST(netting_leaves_both_ends_of_a_step_their_digits) {
  const double payoffs[] = {0.0, 1.0};
  const double prior[] = {0.5, 0.5};
  const double inventory[] = {0.0, 0.0};
  Market market;
  market.claims = 1;
  market.states = 2;
  market.payoffs = payoffs;
  market.prior = prior;
  market.inventory = inventory;
  const std::int64_t claim[] = {0, 0};
  const double price[] = {0.5, 0.5};
  const double giant = 1e15;
  const double small = 1.0 / 3.0;
  for (const int first : {1, -1}) {
    const std::int8_t side[] = {static_cast<std::int8_t>(first), static_cast<std::int8_t>(-first)};
    const double quantity[] = {small, giant};
    Orders orders;
    orders.count = 2;
    orders.claim = claim;
    orders.side = side;
    orders.price = price;
    orders.quantity = quantity;
    const std::vector<Staircase> stairs = compile_staircases(market, orders);
    const std::optional<Netting> net = count_from(stairs.front(), 0.0, 0.1);
    CHECK(net.has_value() && net->limit == 0);
    const std::vector<double> ends = {first > 0 ? small : giant, first > 0 ? -giant : -small};
    CHECK(net && net->staircase.demand[0] == ends[0] && net->staircase.demand[1] == ends[1]);
  }
}

}  // namespace kpm
