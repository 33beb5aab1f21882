// Engines in their caller's memory, which only the shared libkpm offers.
#include <string>
#include <vector>

#include "c/c_book.hpp"
#include "library/own_allocator.hpp"
#include "random_commands.hpp"

namespace kpm {

namespace {

using test::kNoOwnAllocator;
using test::kOwnAllocator;

/// An engine for a book without orders yet.
struct Engine {
  Engine(const test::CBook& book, kpm_limits limits) : memory(kpm_engine_size(&limits)) {
    const kpm_market market = book.market();
    code = kpm_engine_init(memory.data(), memory.size(), &limits, &market, &engine);
  }
  std::vector<unsigned char> memory;
  kpm_engine* engine = nullptr;
  std::int32_t code = KPM_OK;
};

std::int32_t add_all(kpm_engine* engine, const test::RandomBook& book) {
  for (std::size_t j = 0; j < book.claim.size(); ++j) {
    const std::int32_t code = kpm_engine_add(engine, static_cast<std::int64_t>(j), book.claim[j],
                                             book.side[j], book.price[j], book.quantity[j]);
    if (code != KPM_OK) {
      return code;
    }
  }
  return KPM_OK;
}

}  // namespace

TEST(without_an_allocator_of_its_own_a_library_says_so) {
  test::Random random(90);
  const test::CBook book(random, 3, 2, 0);
  const Engine own(book, {sizeof(kpm_limits), 3, 2, 10, 0, 0, 0});
  CHECK(own.code == (kOwnAllocator ? KPM_OK : KPM_UNSUPPORTED));
  CHECK((own.engine != nullptr) == kOwnAllocator);
}

TEST(commands_in_the_caller_s_memory_lead_to_the_same_bits) {
  if (!kOwnAllocator) {
    SKIP(kNoOwnAllocator);
  }
  test::run_random_commands(true);
}

/// Shapes of a full book that ask for the most of each part: the orders of one limit that share
/// what it trades, and a staircase with as many limits as there are orders.
TEST(full_books_of_any_shape_clear_in_memory_of_the_stated_size) {
  if (!kOwnAllocator) {
    return;
  }
  constexpr int kOrders = 30000;
  test::Random random(93);
  for (const int limits_of_book : {1, 2, kOrders}) {
    for (const int bids : {kOrders, kOrders / 2}) {
      test::CBook book(random, 2, 1, 0);
      test::RandomBook& whole = book.book;
      whole.payoffs = {0.0, 1.0};
      whole.ambiguity = 0.01;
      for (int j = 0; j < kOrders; ++j) {
        const double place = (j % limits_of_book + 0.5) / limits_of_book;
        whole.claim.push_back(0);
        whole.side.push_back(static_cast<std::int8_t>(j < bids ? 1 : -1));
        whole.price.push_back(0.1 + 0.8 * place);
        whole.quantity.push_back(0.01 + 0.01 * random.uniform());
      }
      const kpm_limits limits{sizeof limits, 2, 1, kOrders, limits_of_book, 1, 0};
      Engine own(book, limits);
      CHECK(own.code == KPM_OK);
      CHECK(add_all(own.engine, whole) == KPM_OK);
      kpm_settings settings = book.settings;
      for (const std::int32_t allocation : {KPM_PRO_RATA, KPM_TIME}) {
        for (const std::int32_t rule : {KPM_MAKER_OPTIMAL, KPM_COMPETITIVE}) {
          settings.allocation = allocation;
          settings.rule = rule;
          settings.node_limit = rule == KPM_MAKER_OPTIMAL ? 1 : 0;
          test::CResult mine(whole);
          CHECK(kpm_engine_clear(own.engine, &settings, &mine.result) == KPM_OK);
          double filled = 0.0;
          for (const double fill : mine.fills) {
            filled += fill;
          }
          CHECK(filled > 0.0);
        }
      }
      kpm_engine_free(own.engine);
    }
  }
}

TEST(memory_may_have_any_alignment_and_nothing_beyond_it_is_touched) {
  if (!kOwnAllocator) {
    SKIP(kNoOwnAllocator);
  }
  test::Random random(92);
  const test::CBook book(random, 4, 3, 25);
  test::CResult expected(book.book);
  CHECK(book.clear(expected.result) == KPM_OK);
  const kpm_limits limits{sizeof limits, 4, 3, 25, 0, 1000, 0};
  const std::size_t size = kpm_engine_size(&limits);
  const kpm_market market = book.market();
  for (std::size_t offset = 0; offset < 70; ++offset) {
    std::vector<unsigned char> memory(size + 200, 0x5A);
    kpm_engine* engine = nullptr;
    CHECK(kpm_engine_init(memory.data() + offset, size, &limits, &market, &engine) == KPM_OK);
    CHECK(add_all(engine, book.book) == KPM_OK);
    test::CResult result(book.book);
    CHECK(kpm_engine_clear(engine, &book.settings, &result.result) == KPM_OK);
    CHECK(result.fills == expected.fills);
    kpm_engine_free(engine);
    for (std::size_t at = 0; at < memory.size(); ++at) {
      if (at < offset || at >= offset + size) {
        CHECK(memory[at] == 0x5A);
      }
    }
  }
}

TEST(orders_and_states_beyond_the_limits_are_refused) {
  if (!kOwnAllocator) {
    SKIP(kNoOwnAllocator);
  }
  test::Random random(93);
  const test::CBook book(random, 4, 3, 0);
  const test::CBook larger(random, 5, 3, 0);
  const Engine own(book, {sizeof(kpm_limits), 4, 3, 3, 2, 0, 0});
  kpm_engine* const engine = own.engine;
  CHECK(kpm_engine_add(engine, 1, 0, 1, 0.5, 1.0) == KPM_OK);
  CHECK(kpm_engine_add(engine, 2, 0, 1, 0.6, 1.0) == KPM_OK);
  CHECK(kpm_engine_add(engine, 3, 1, 1, 0.5, 1.0) == KPM_INVALID_INPUT);  // a third level
  CHECK(std::string(test::last_error().field) == "price");
  CHECK(kpm_engine_add(engine, 3, 0, -1, 0.5, 1.0) == KPM_OK);
  CHECK(kpm_engine_add(engine, 4, 0, 1, 0.5, 1.0) == KPM_INVALID_INPUT);  // a fourth order
  CHECK(std::string(test::last_error().field) == "orders");
  const kpm_market market = larger.market();
  CHECK(kpm_engine_set_market(engine, &market) == KPM_INVALID_INPUT);  // a fifth state
  CHECK(kpm_engine_order_count(engine) == 3);

  const kpm_limits limits{sizeof limits, 4, 3, 3, 2, 0, 0};
  const kpm_market first = book.market();
  std::vector<unsigned char> memory(kpm_engine_size(&limits) - 1);
  kpm_engine* none = nullptr;
  CHECK(kpm_engine_init(memory.data(), memory.size(), &limits, &first, &none) == KPM_INVALID_INPUT);
  CHECK(std::string(test::last_error().field) == "size" && none == nullptr);
}

TEST(a_tree_beyond_the_limit_ends_with_its_best_clearing_and_a_bound) {
  if (!kOwnAllocator) {
    SKIP(kNoOwnAllocator);
  }
  test::Random random(94);
  int limited = 0;
  for (int round = 0; round < 60; ++round) {
    const test::CBook book(random, 6, 6, 120);
    const Engine own(book, {sizeof(kpm_limits), 6, 6, 120, 0, 1, 0});
    CHECK(add_all(own.engine, book.book) == KPM_OK);
    test::CResult best(book.book);
    CHECK(book.clear(best.result) == KPM_OK);
    test::CResult result(book.book);
    CHECK(kpm_engine_clear(own.engine, nullptr, &result.result) == KPM_OK);
    const double slack = 1e-9 * best.result.scale;
    CHECK_AT_MOST(result.result.certainty_equivalent, best.result.certainty_equivalent, slack);
    CHECK_AT_MOST(best.result.certainty_equivalent, result.result.upper_bound, slack);
    CHECK_AT_MOST(result.result.no_trade_equivalent, result.result.certainty_equivalent, slack);
    CHECK(result.result.status == KPM_OPTIMAL || result.result.status == KPM_NODE_LIMIT);
    limited += result.result.status == KPM_NODE_LIMIT ? 1 : 0;
  }
  CHECK(limited > 0);
}

}  // namespace kpm
