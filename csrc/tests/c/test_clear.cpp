#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <thread>

#include "c_book.hpp"
#include "kpm/validation.hpp"

namespace kpm {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST(a_clearing_through_c_has_the_bits_of_one_through_cpp) {
  test::Random random(61);
  for (int round = 0; round < 60; ++round) {
    const test::CBook book(random, 2 + random.below(6), 1 + random.below(5), random.below(40));
    test::CResult c(book.book);
    CHECK(book.clear(c.result) == KPM_OK);
    const Clearing cpp = clear(book.book.market(), book.book.book(), {});
    CHECK(c.result.status == static_cast<std::int32_t>(cpp.status));
    CHECK(c.by_state[0] == cpp.state_prices);
    CHECK(c.by_state[1] == cpp.payoff);
    CHECK(c.by_state[2] == cpp.support.worst_case);
    CHECK(c.by_state[3] == cpp.support.marginal_state_prices);
    CHECK(c.by_claim[0] == cpp.claim_prices);
    CHECK(c.by_claim[1] == cpp.net_demand);
    CHECK(c.by_claim[2] == cpp.support.multipliers);
    CHECK(c.fills == cpp.fills);
    CHECK(c.cell == cpp.cell);
    CHECK(c.result.certainty_equivalent == cpp.certainty_equivalent);
    CHECK(c.result.no_trade_equivalent == cpp.no_trade_equivalent);
    CHECK(c.result.upper_bound == cpp.upper_bound);
    CHECK(c.result.revenue == cpp.revenue);
    CHECK(c.result.scale == cpp.scale);
    CHECK(c.result.ambiguity_price == cpp.support.ambiguity_price);
    CHECK(c.result.nodes == cpp.progress.nodes);
    CHECK(c.result.threads == 1);
  }
}

TEST(result_arrays_may_be_null_and_settings_have_defaults) {
  test::Random random(62);
  const test::CBook book(random, 4, 3, 12);
  test::CResult all(book.book);
  CHECK(book.clear(all.result) == KPM_OK);
  const kpm_market market = book.market();
  const kpm_orders orders = book.orders();
  kpm_result numbers{};
  numbers.struct_size = sizeof numbers;
  CHECK(kpm_clear(&market, &orders, nullptr, &numbers) == KPM_OK);
  CHECK(numbers.certainty_equivalent == all.result.certainty_equivalent);
}

TEST(the_flat_function_clears_with_the_same_bits) {
  test::Random random(63);
  const test::CBook book(random, 5, 4, 30);
  test::CResult whole(book.book);
  CHECK(book.clear(whole.result) == KPM_OK);
  test::CResult flat(book.book);
  double figures[KPM_FIGURES] = {};
  const kpm_market m = book.market();
  const kpm_orders o = book.orders();
  CHECK(kpm_clear_flat(m.states, m.claims, m.payoffs, m.prior, m.inventory, m.risk_aversion,
                       m.ambiguity, o.count, o.claim, o.side, o.price, o.quantity, o.time, 1e-8,
                       kInfinity, 0, 1, KPM_PRO_RATA, nullptr, flat.result.state_prices,
                       flat.result.claim_prices, flat.result.net_demand, flat.result.fills,
                       flat.result.payoff, figures) == KPM_OK);
  CHECK(flat.by_state[0] == whole.by_state[0] && flat.by_state[1] == whole.by_state[1]);
  CHECK(flat.by_claim[0] == whole.by_claim[0] && flat.by_claim[1] == whole.by_claim[1]);
  CHECK(flat.fills == whole.fills);
  CHECK(figures[KPM_FIGURE_CERTAINTY_EQUIVALENT] == whole.result.certainty_equivalent);
  CHECK(figures[KPM_FIGURE_UPPER_BOUND] == whole.result.upper_bound);
  CHECK(figures[KPM_FIGURE_SCALE] == whole.result.scale);
  CHECK(figures[KPM_FIGURE_STATUS] == KPM_OPTIMAL);
  CHECK(kpm_clear_flat(m.states, 0, m.payoffs, m.prior, m.inventory, m.risk_aversion, m.ambiguity,
                       o.count, o.claim, o.side, o.price, o.quantity, o.time, 1e-8, kInfinity, 0, 1,
                       KPM_PRO_RATA, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                       nullptr) == KPM_INVALID_INPUT);
}

namespace {

/// One thing wrong with a book, and what the error must name.
struct Breach {
  const char* field;
  std::int64_t index, state;
  void (*spoil)(test::CBook&);
};

constexpr Breach kBreaches[] = {
    {"payoffs", 1, 2, [](test::CBook& b) { b.book.payoffs[4 + 2] = kNan; }},
    {"payoffs", 2, 0, [](test::CBook& b) { b.book.payoffs[8] = 1e31; }},
    {"prior", 2, -1, [](test::CBook& b) { b.book.prior[2] = -0.25; }},
    {"prior", -1, -1, [](test::CBook& b) { b.book.prior[2] += 1e-6; }},
    {"inventory", 3, -1, [](test::CBook& b) { b.book.inventory[3] = kInfinity; }},
    {"risk_aversion", -1, -1, [](test::CBook& b) { b.book.risk_aversion = kNan; }},
    {"ambiguity", -1, -1, [](test::CBook& b) { b.book.ambiguity = -1.0; }},
    {"claim", 7, -1, [](test::CBook& b) { b.book.claim[7] = 77; }},
    {"claim", 0, -1, [](test::CBook& b) { b.book.claim[0] = std::int64_t{1} << 40; }},
    {"side", 5, -1, [](test::CBook& b) { b.book.side[5] = 0; }},
    {"price", 9, -1, [](test::CBook& b) { b.book.price[9] = kNan; }},
    {"quantity", 3, -1, [](test::CBook& b) { b.book.quantity[3] = -1.0; }},
    {"tolerance", -1, -1, [](test::CBook& b) { b.settings.tolerance = 0.0; }},
    {"tolerance", -1, -1, [](test::CBook& b) { b.settings.tolerance = kNan; }},
    {"time_limit", -1, -1, [](test::CBook& b) { b.settings.time_limit = -1.0; }},
    {"time_limit", -1, -1, [](test::CBook& b) { b.settings.time_limit = kNan; }},
    {"node_limit", -1, -1, [](test::CBook& b) { b.settings.node_limit = -1; }},
    {"threads", -1, -1, [](test::CBook& b) { b.settings.threads = 1025; }},
    {"threads", -1, -1, [](test::CBook& b) { b.settings.threads = -1; }},
    {"allocation", -1, -1, [](test::CBook& b) { b.settings.allocation = 2; }},
    {"settings", -1, -1, [](test::CBook& b) { b.settings.struct_size = 0; }},
    {"settings", -1, -1, [](test::CBook& b) { b.settings.struct_size = ~std::size_t{0}; }},
};

}  // namespace

TEST(every_field_that_is_wrong_is_named_with_its_index) {
  test::Random random(64);
  for (const Breach& breach : kBreaches) {
    test::CBook book(random, 4, 3, 10);
    breach.spoil(book);
    test::CResult result(book.book);
    result.result.certainty_equivalent = 17.0;
    CHECK(book.clear(result.result) == KPM_INVALID_INPUT);
    CHECK(result.result.certainty_equivalent == 17.0);
    const kpm_error error = test::last_error();
    CHECK(error.code == KPM_INVALID_INPUT);
    CHECK(std::string(error.field) == breach.field);
    CHECK(error.index == breach.index && error.state == breach.state);
    CHECK(std::strstr(error.message, breach.field) == error.message);
  }
}

TEST(missing_structs_and_arrays_are_named) {
  test::Random random(65);
  const test::CBook book(random, 4, 3, 10);
  const auto refused = [&](const kpm_market* m, const kpm_orders* o, kpm_result* r,
                           const char* field) {
    CHECK(kpm_clear(m, o, &book.settings, r) == KPM_INVALID_INPUT);
    CHECK(std::string(test::last_error().field) == field);
  };
  const kpm_market market = book.market();
  const kpm_orders orders = book.orders();
  kpm_result result{};
  result.struct_size = sizeof result;
  refused(nullptr, &orders, &result, "market");
  refused(&market, nullptr, &result, "orders");
  refused(&market, &orders, nullptr, "result");
  const auto market_without = [&](auto member, const char* field) {
    kpm_market other = market;
    other.*member = nullptr;
    refused(&other, &orders, &result, field);
  };
  market_without(&kpm_market::payoffs, "payoffs");
  market_without(&kpm_market::prior, "prior");
  market_without(&kpm_market::inventory, "inventory");
  const auto orders_without = [&](auto member, const char* field) {
    kpm_orders other = orders;
    other.*member = nullptr;
    refused(&market, &other, &result, field);
  };
  orders_without(&kpm_orders::claim, "claim");
  orders_without(&kpm_orders::side, "side");
  orders_without(&kpm_orders::price, "price");
  orders_without(&kpm_orders::quantity, "quantity");
}

TEST(limits_and_the_stop_flag_end_a_clearing_with_a_bound) {
  test::Random random(66);
  test::CBook book(random, 8, 8, 400);
  test::CResult best(book.book);
  CHECK(book.clear(best.result) == KPM_OK);
  book.settings.time_limit = 0.0;
  test::CResult limited(book.book);
  CHECK(book.clear(limited.result) == KPM_OK);
  CHECK(limited.result.status == KPM_TIME_LIMIT);
  CHECK_AT_MOST(best.result.certainty_equivalent, limited.result.upper_bound, 1e-9);
  CHECK_AT_MOST(limited.result.certainty_equivalent, best.result.upper_bound, 1e-9);
  book.settings.time_limit = kInfinity;
  const volatile std::int32_t stop = 1;
  book.settings.stop = &stop;
  CHECK(book.clear(limited.result) == KPM_OK);
  CHECK(limited.result.status == KPM_INTERRUPTED);
}

TEST(a_stop_flag_that_is_up_before_is_seen_by_the_shortest_clearing) {
  test::Random random(67);
  int stopped = 0;
  for (int trial = 0; trial < 20; ++trial) {
    test::CBook book(random, 3, 2, 8);
    test::CResult best(book.book);
    CHECK(book.clear(best.result) == KPM_OK);
    const volatile std::int32_t stop = 1;
    book.settings.stop = &stop;
    for (const std::int32_t rule : {KPM_MAKER_OPTIMAL, KPM_COMPETITIVE}) {
      book.settings.rule = rule;
      test::CResult found(book.book);
      CHECK(book.clear(found.result) == KPM_OK);
      CHECK(found.result.status == KPM_INTERRUPTED || found.result.status == KPM_OPTIMAL);
      CHECK_AT_MOST(found.result.certainty_equivalent, found.result.upper_bound, 1e-9);
      CHECK(std::isfinite(found.result.upper_bound));
      stopped += found.result.status == KPM_INTERRUPTED ? 1 : 0;
    }
    CHECK_AT_MOST(best.result.certainty_equivalent, best.result.upper_bound, 1e-9);
  }
  CHECK(stopped > 15);
}

TEST(an_error_belongs_to_the_thread_that_made_it) {
  kpm_result result{};
  CHECK(kpm_clear(nullptr, nullptr, nullptr, &result) == KPM_INVALID_INPUT);
  std::int32_t elsewhere = -1;
  std::thread([&] { elsewhere = kpm_last_error(nullptr); }).join();
  CHECK(elsewhere == KPM_OK);
  CHECK(kpm_last_error(nullptr) == KPM_INVALID_INPUT);
}

}  // namespace kpm
