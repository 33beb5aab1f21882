#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "random_book.hpp"

namespace kpm {
namespace {

/// Bought minus sold at a price that is no limit, order by order.
double plain_demand(const test::RandomBook& book, int k, double price) {
  double sum = 0.0;
  for (std::size_t j = 0; j < book.price.size(); ++j) {
    const bool trades = book.side[j] > 0 ? book.price[j] > price : book.price[j] < price;
    if (book.claim[j] == k && trades) {
      sum += book.side[j] * book.quantity[j];
    }
  }
  return sum;
}

bool same(const Figures& left, const Figures& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end());
}

bool same(const std::vector<Staircase>& left, const std::vector<Staircase>& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const Staircase& a, const Staircase& b) {
                      return same(a.limit, b.limit) && same(a.demand, b.demand) &&
                             same(a.bought, b.bought) && same(a.sold, b.sold);
                    });
}

/// The staircases of a book whose orders are listed like that.
std::vector<Staircase> listed(const test::RandomBook& book, const std::vector<std::size_t>& rows) {
  test::RandomBook other = book;
  for (std::size_t j = 0; j < rows.size(); ++j) {
    other.claim[j] = book.claim[rows[j]];
    other.side[j] = book.side[rows[j]];
    other.price[j] = book.price[rows[j]];
    other.quantity[j] = book.quantity[rows[j]];
  }
  return compile_staircases(other.market(), other.book());
}

}  // namespace

TEST(a_staircase_is_the_demand_of_its_orders_at_every_price) {
  test::Random random(11);
  for (int trial = 0; trial < 200; ++trial) {
    const test::RandomBook book(random, 2 + random.below(5), 1 + random.below(4), random.below(60));
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    for (int k = 0; k < book.claims; ++k) {
      const Staircase& claim = stairs[static_cast<std::size_t>(k)];
      CHECK(claim.pieces() == 2 * static_cast<int>(claim.limit.size()) + 1);
      double reached = claim.price_min;
      for (int piece = 0; piece < claim.pieces(); ++piece) {
        const Piece part = claim.piece(piece);
        CHECK(part.price_low == reached);  // pieces follow each other
        reached = part.price_high;
        if (Staircase::is_step(piece)) {
          CHECK(part.price_low == part.price_high && part.demand_low < part.demand_high);
        } else {
          CHECK(part.demand_low == part.demand_high);
          const double middle = 0.5 * (part.price_low + part.price_high);
          if (part.price_low < middle && middle < part.price_high) {
            CHECK_NEAR(part.demand_low, plain_demand(book, k, middle), 1e-12);
          }
        }
      }
      CHECK(reached == claim.price_max);
      CHECK(std::is_sorted(claim.limit.begin(), claim.limit.end()));
      CHECK(std::is_sorted(claim.demand.begin(), claim.demand.end(), std::greater<>()));
    }
  }
}

TEST(limits_that_differ_by_rounding_are_one) {
  // Counted from the lowest: the fourth limit is near the third, but too far above the second.
  const Level levels[] = {{0.0, 0.0, 7.0},
                          {0.1 + 0.2 - 1e-16, 1.0, 0.0},
                          {0.3 + 6e-14, 2.0, 16.0},
                          {0.3 + 1.2e-13, 4.0, 0.0},
                          {1.0, 8.0, 0.0}};
  const Staircase claim = make_staircase(0.0, 1.0, std::begin(levels), std::end(levels));
  CHECK(claim.pieces() == 5);
  CHECK(claim.limit[0] == levels[1].price && claim.limit[1] == levels[3].price);
  CHECK(claim.buy[0] == 3.0 && claim.sell[0] == 16.0 && claim.buy[1] == 4.0);
  CHECK(claim.demand[0] == 8.0 && claim.demand[1] == 12.0 - 23.0 && claim.demand[2] == 8.0 - 23.0);
  CHECK(claim.volume == 38.0);
  for (std::size_t l = 0; l < 2; ++l) {
    for (std::size_t level = 0; level < 5; ++level) {
      const bool member = l == 0 ? level == 1 || level == 2 : level == 3;
      const double price = levels[level].price;
      const bool at_limit = price >= claim.start_of_limit(l) && price < claim.start_of_limit(l + 1);
      CHECK(at_limit == member);
    }
  }
}

TEST(the_order_of_the_book_changes_no_bit) {
  test::Random random(12);
  for (int trial = 0; trial < 100; ++trial) {
    const test::RandomBook book(random, 3, 2, 40);
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    std::vector<std::size_t> rows(book.price.size());
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    for (std::size_t j = rows.size() - 1; j > 0; --j) {
      std::swap(rows[j], rows[static_cast<std::size_t>(random.below(static_cast<int>(j) + 1))]);
    }
    CHECK(same(stairs, listed(book, rows)));
    // Ladders: one or two for each claim, ascending or descending, one beyond the other or not.
    const auto by_price = [&](std::size_t i, std::size_t j) {
      return book.price[i] < book.price[j];
    };
    std::stable_sort(rows.begin(), rows.end(), by_price);
    CHECK(same(stairs, listed(book, rows)));
    const auto buys = [&](std::size_t j) { return book.side[j] > 0; };
    const auto middle = std::stable_partition(rows.begin(), rows.end(), buys);
    for (int turn = 0; turn < 4; ++turn) {
      CHECK(same(stairs, listed(book, rows)));
      std::reverse(turn % 2 == 0 ? rows.begin() : middle, turn % 2 == 0 ? middle : rows.end());
    }
    std::rotate(rows.begin(), middle, rows.end());
    CHECK(same(stairs, listed(book, rows)));
  }
}

/// Of many orders a claim, as sums over its orders sorted by limit and quantity.
TEST(many_orders_are_added_up_in_sorted_sequence) {
  test::Random random(14);
  const auto any = [&] { return random.uniform(); };
  const std::function<double()> limits[] = {
      any,
      [&] { return 0.01 * random.below(101); },
      [&] { return 0.25; },
      [&] { return 0.3 + 1e-9 * any(); },
      [&] { return std::exp(-300.0 * any()); },
      [&] { return random.below(3) > 0 ? any() : (random.below(2) - 0.5) * kInfinity; },
      [&] { return 4.0 * any() - 2.0; },
  };
  for (const auto& limit : limits) {
    for (const int count : {255, 256, 1000, 33000}) {
      test::RandomBook book(random, 3, 2, count);
      std::fill(book.claim.begin(), book.claim.end(), 1);
      std::generate(book.price.begin(), book.price.end(), limit);
      const bool lots = random.below(2) == 0;
      std::generate(book.quantity.begin(), book.quantity.end(),
                    [&] { return lots ? 1.0 + random.below(9) : 0.1 + any(); });
      std::vector<std::pair<double, double>> sorted;
      sorted.reserve(book.price.size());
      for (std::size_t j = 0; j < book.price.size(); ++j) {
        sorted.emplace_back(book.price[j], book.side[j] * book.quantity[j]);
      }
      std::sort(sorted.begin(), sorted.end());
      std::vector<Level> levels;
      for (const auto& [price, quantity] : sorted) {
        if (levels.empty() || price != levels.back().price) {
          levels.push_back({price, 0.0, 0.0});
        }
        (quantity > 0.0 ? levels.back().buy : levels.back().sell) += std::abs(quantity);
      }
      const auto [least, most] =
          std::minmax_element(book.payoffs_of(1), book.payoffs_of(1) + book.states);
      std::vector<Staircase> expected;
      expected.push_back(
          make_staircase(*least, *most, levels.data(), levels.data() + levels.size()));
      std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
      stairs.erase(stairs.begin());
      CHECK(same(stairs, expected));
      CHECK(stairs[0].volume == expected[0].volume);
    }
  }
}

}  // namespace kpm
