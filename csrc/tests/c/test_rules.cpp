// Every maker and every rule through kpm.h: once, and in engines.
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "c_book.hpp"
#include "c_makers.hpp"
#include "kpm/auction.hpp"
#include "kpm/validation.hpp"

namespace kpm {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

test::CMakers makers_for(test::Random& random, const test::RandomBook& book) {
  std::vector<double> delta(book.prior.size());
  for (double& money : delta) {
    money = random.uniform(0.5, 8.0);
  }
  std::vector<double> priors = book.prior;
  priors.reserve(2 * book.prior.size());
  for (const double prior : book.prior) {
    priors.push_back(0.5 * prior + 0.5 / book.states);
  }
  return {book.prior, std::move(delta), std::move(priors)};
}

/// A random book and a maker of each kind for it.
struct Case {
  Case(test::Random& random, int states, int claims, int count)
      : book(random, states, claims, count),
        result(book.book),
        makers(makers_for(random, book.book)) {}

  test::CBook book;
  test::CResult result;
  test::CMakers makers;
};

bool has(std::int32_t kind, std::int32_t rule) {
  return rule == KPM_COMPETITIVE || rule == KPM_PAY_AS_BID ||
         (rule == KPM_MAKER_OPTIMAL && kind == KPM_KNIGHTIAN) ||
         (rule == KPM_PDCA && kind == KPM_STARTING_ORDERS);
}

template <class Each>
void for_every_maker_and_rule(Each&& each) {
  for (std::int32_t kind = KPM_KNIGHTIAN; kind <= KPM_QUADRATIC; ++kind) {
    for (std::int32_t rule = KPM_MAKER_OPTIMAL; rule <= KPM_PDCA; ++rule) {
      each(kind, rule);
    }
  }
}

void check_same(const test::CResult& a, const test::CResult& b) {
  CHECK(a.by_state == b.by_state && a.by_claim == b.by_claim);
  CHECK(a.fills == b.fills && a.cell == b.cell);
  CHECK(a.result.certainty_equivalent == b.result.certainty_equivalent);
  CHECK(a.result.no_trade_equivalent == b.result.no_trade_equivalent);
  CHECK(a.result.upper_bound == b.result.upper_bound);
  CHECK(a.result.objective == b.result.objective);
  CHECK(a.result.revenue == b.result.revenue && a.result.scale == b.result.scale);
  CHECK(a.result.ambiguity_price == b.result.ambiguity_price);
  CHECK(a.result.status == b.result.status);
}

void check_refused(std::int32_t code, const std::string& field) {
  CHECK(code == KPM_INVALID_INPUT);
  CHECK(test::last_error().field == field);
}

}  // namespace

TEST(every_maker_clears_by_every_rule_that_it_has_with_the_bits_of_cpp) {
  test::Random random(101);
  for (int round = 0; round < 8; ++round) {
    Case some(random, 2 + random.below(5), 1 + random.below(4), random.below(40));
    for_every_maker_and_rule([&](std::int32_t kind, std::int32_t rule) {
      const kpm_maker maker = some.makers.maker(kind);
      kpm_market market = some.book.market();
      market.prior = nullptr;  // not read, nor the other two
      market.risk_aversion = market.ambiguity = kNan;
      market.maker = &maker;
      const kpm_orders orders = some.book.orders();
      some.book.settings.rule = rule;
      test::CResult c(some.book.book);
      const std::int32_t code = kpm_clear(&market, &orders, &some.book.settings, &c.result);
      if (!has(kind, rule)) {
        check_refused(code, "rule");
        CHECK(test::last_error().value == rule);
        CHECK(std::strstr(test::last_error().message, "competitive") != nullptr);
        return;
      }
      CHECK(code == KPM_OK);
      Clearing cpp;
      double objective = 0.0;
      const MakerModel model = some.makers.model(kind);
      if (rule == KPM_MAKER_OPTIMAL) {
        Market own = some.book.book.market();
        own.risk_aversion = model.risk_aversion;
        own.ambiguity = model.ambiguity;
        cpp = clear(own, some.book.book.book(), {});
        objective = cpp.certainty_equivalent;
      } else {
        AuctionSettings settings;
        settings.rule = static_cast<ConvexRule>(rule - 1);
        const AuctionClearing cleared =
            clear_auction(some.book.book.market(), model, some.book.book.book(), settings);
        cpp = cleared.clearing;
        objective = cleared.objective;
      }
      CHECK(c.by_state[0] == cpp.state_prices && c.by_state[1] == cpp.payoff);
      CHECK(c.by_state[2] == cpp.support.worst_case);
      CHECK(c.by_state[3] == cpp.support.marginal_state_prices);
      CHECK(c.by_claim[0] == cpp.claim_prices && c.by_claim[1] == cpp.net_demand);
      CHECK(c.by_claim[2] == cpp.support.multipliers);
      CHECK(c.fills == cpp.fills && c.cell == cpp.cell);
      CHECK(c.result.certainty_equivalent == cpp.certainty_equivalent);
      CHECK(c.result.no_trade_equivalent == cpp.no_trade_equivalent);
      CHECK(c.result.upper_bound == cpp.upper_bound && c.result.objective == objective);
      CHECK(c.result.revenue == cpp.revenue && c.result.scale == cpp.scale);
      CHECK(c.result.status == KPM_OPTIMAL && c.result.threads == 1);
      CHECK_AT_MOST(c.result.objective, c.result.upper_bound, 1e-8 * c.result.scale);

      test::CResult flat(some.book.book);
      double figures[KPM_RULE_FIGURES] = {};
      CHECK(kpm_clear_by_rule_flat(
                kind, market.states, some.makers.weights(kind), 2, 0.1, 0.05,
                test::CMakers::parameter(kind), market.inventory, market.claims, market.payoffs,
                orders.count, orders.claim, orders.side, orders.price, orders.quantity, orders.time,
                rule, 1e-8, KPM_PRO_RATA, flat.result.state_prices, flat.result.claim_prices,
                flat.result.net_demand, flat.result.fills, flat.result.payoff, figures) == KPM_OK);
      CHECK(flat.by_state[0] == c.by_state[0] && flat.by_state[1] == c.by_state[1]);
      CHECK(flat.by_claim[0] == c.by_claim[0] && flat.by_claim[1] == c.by_claim[1]);
      CHECK(flat.fills == c.fills);
      CHECK(figures[KPM_FIGURE_UPPER_BOUND] == c.result.upper_bound);
      CHECK(figures[KPM_FIGURE_OBJECTIVE] == c.result.objective);
    });
  }
}

TEST(the_market_s_own_knightian_maker_has_the_convex_rules_too) {
  test::Random random(102);
  const Case some(random, 4, 3, 30);
  const kpm_maker maker{sizeof maker,
                        KPM_KNIGHTIAN,
                        4,
                        some.book.book.prior.data(),
                        nullptr,
                        nullptr,
                        0,
                        some.book.book.risk_aversion,
                        some.book.book.ambiguity,
                        0.0,
                        0.0};
  const kpm_orders orders = some.book.orders();
  for (const std::int32_t rule : {KPM_MAKER_OPTIMAL, KPM_COMPETITIVE, KPM_PAY_AS_BID}) {
    kpm_market market = some.book.market();
    kpm_settings settings = some.book.settings;
    settings.rule = rule;
    test::CResult short_form(some.book.book);
    test::CResult by_itself(some.book.book);
    CHECK(kpm_clear(&market, &orders, &settings, &short_form.result) == KPM_OK);
    market.maker = &maker;
    CHECK(kpm_clear(&market, &orders, &settings, &by_itself.result) == KPM_OK);
    check_same(short_form, by_itself);
  }
}

TEST(an_engine_clears_for_every_maker_by_every_rule_as_a_cold_clearing_does) {
  test::Random random(103);
  for (int round = 0; round < 4; ++round) {
    Case some(random, 2 + random.below(5), 1 + random.below(4), 5 + random.below(30));
    kpm_market market = some.book.market();
    kpm_engine* engine = nullptr;
    CHECK(kpm_engine_create(&market, 0, &engine) == KPM_OK);
    for (std::size_t j = 0; j < some.book.book.claim.size(); ++j) {
      CHECK(kpm_engine_add(engine, static_cast<std::int64_t>(j), some.book.book.claim[j],
                           some.book.book.side[j], some.book.book.price[j],
                           some.book.book.quantity[j]) == KPM_OK);
    }
    std::vector<double> inventory = some.book.book.inventory;
    std::vector<std::uint64_t> hashes;
    kpm_maker maker{};
    market.maker = &maker;
    for_every_maker_and_rule([&](std::int32_t kind, std::int32_t rule) {
      maker = some.makers.maker(kind);
      inventory[0] += 0.25;
      market.inventory = inventory.data();
      const std::uint64_t before = kpm_engine_state_hash(engine);
      CHECK(kpm_engine_set_maker(engine, &maker, inventory.data()) == KPM_OK);
      CHECK(kpm_engine_state_hash(engine) != before);
      CHECK(kpm_engine_set_maker(engine, &maker, nullptr) == KPM_OK);  // the inventory stays

      const kpm_orders orders = some.book.orders();
      some.book.settings.rule = rule;
      some.book.settings.allocation = KPM_TIME;
      test::CResult cold(some.book.book);
      test::CResult mine(some.book.book);
      const std::int32_t code = kpm_clear(&market, &orders, &some.book.settings, &cold.result);
      CHECK((code == KPM_OK) == has(kind, rule));
      CHECK(kpm_engine_clear(engine, &some.book.settings, &mine.result) == code);
      check_same(mine, cold);
      test::CResult indicative(some.book.book);
      CHECK(kpm_engine_indicative(engine, &some.book.settings, &indicative.result) == code);
      CHECK(indicative.by_claim == cold.by_claim && indicative.by_state == cold.by_state);
      CHECK(indicative.result.upper_bound == cold.result.upper_bound);

      std::vector<double> losses(inventory);
      for (double& money : losses) {
        money = -money;
      }
      const auto claims = static_cast<std::size_t>(market.claims);
      std::vector<double> quotes(2 * claims);
      std::vector<double> own(2 * claims);
      CHECK(kpm_quote(&maker, losses.data(), market.payoffs, market.claims, nullptr, 0,
                      quotes.data(), quotes.data() + claims) == KPM_OK);
      CHECK(kpm_engine_quote(engine, nullptr, 0, own.data(), own.data() + claims) == KPM_OK);
      CHECK(own == quotes);

      kpm_engine* const fresh = kpm_engine_create_maker_flat(
          kind, market.states, some.makers.weights(kind), 2, 0.1, 0.05,
          test::CMakers::parameter(kind), market.inventory, market.claims, market.payoffs, 10);
      kpm_engine* other = nullptr;
      CHECK(fresh != nullptr && kpm_engine_create(&market, 0, &other) == KPM_OK);
      CHECK(kpm_engine_state_hash(fresh) == kpm_engine_state_hash(other));
      std::vector<std::uint8_t> bytes(kpm_engine_snapshot_size(engine));
      CHECK(kpm_engine_snapshot(engine, bytes.data(), bytes.size()) == KPM_OK);
      CHECK(kpm_engine_restore(fresh, bytes.data(), bytes.size()) == KPM_OK);
      CHECK(kpm_engine_state_hash(fresh) == kpm_engine_state_hash(engine));
      if (has(kind, rule)) {
        double figures[KPM_RULE_FIGURES] = {};
        test::CResult flat(some.book.book);
        CHECK(kpm_engine_clear_by_rule_flat(fresh, rule, 1e-8, KPM_TIME, flat.result.state_prices,
                                            flat.result.claim_prices, flat.result.net_demand,
                                            flat.result.fills, flat.result.payoff,
                                            figures) == KPM_OK);
        CHECK(flat.fills == cold.fills && flat.by_claim[0] == cold.by_claim[0]);
        CHECK(figures[KPM_FIGURE_OBJECTIVE] == cold.result.objective);
      }
      kpm_engine_free(fresh);
      kpm_engine_free(other);
    });
    kpm_engine_free(engine);
  }
}

TEST(makers_and_settings_that_do_not_fit_are_refused_by_name) {
  test::Random random(104);
  Case some(random, 3, 2, 8);
  const kpm_orders orders = some.book.orders();
  kpm_market market = some.book.market();
  kpm_engine* engine = nullptr;
  CHECK(kpm_engine_create(&market, 0, &engine) == KPM_OK);
  const std::uint64_t before = kpm_engine_state_hash(engine);
  const auto refused = [&](std::int32_t kind, auto spoil, const char* field) {
    kpm_maker maker = some.makers.maker(kind);
    spoil(maker);
    market.maker = &maker;
    some.book.settings.rule = KPM_COMPETITIVE;
    check_refused(kpm_clear(&market, &orders, &some.book.settings, &some.result.result), field);
    check_refused(kpm_engine_set_market(engine, &market), field);
    check_refused(kpm_engine_set_maker(engine, &maker, nullptr), field);
    kpm_engine* none = nullptr;
    check_refused(kpm_engine_create(&market, 0, &none), field);
    CHECK(none == nullptr && kpm_engine_state_hash(engine) == before);
  };
  refused(KPM_QUADRATIC, [](kpm_maker& m) { m.kind = 6; }, "kind");
  refused(KPM_QUADRATIC, [](kpm_maker& m) { m.kind = -1; }, "kind");
  for (std::int32_t kind = KPM_KNIGHTIAN; kind <= KPM_QUADRATIC; ++kind) {
    // Its arrays are not read to find that out: they may be as long as the market's.
    refused(kind, [](kpm_maker& m) { m.states = 1000; }, "maker");
    refused(kind, [](kpm_maker& m) { m.states = 2; }, "maker");
  }
  refused(KPM_WORST_STATE, [](kpm_maker& m) { m.states = 0; }, "maker");
  refused(KPM_WORST_STATE, [](kpm_maker& m) { m.struct_size = 8; }, "maker");
  refused(KPM_KNIGHTIAN, [](kpm_maker& m) { m.prior = nullptr; }, "prior");
  refused(KPM_KNIGHTIAN, [](kpm_maker& m) { m.ambiguity = kNan; }, "ambiguity");
  refused(KPM_STARTING_ORDERS, [](kpm_maker& m) { m.delta = nullptr; }, "delta");
  refused(KPM_POLYTOPE, [](kpm_maker& m) { m.prior_count = 0; }, "prior_count");
  refused(KPM_POLYTOPE, [](kpm_maker& m) { m.priors = nullptr; }, "priors");
  refused(KPM_POLYTOPE, [](kpm_maker& m) { m.risk_aversion = -1.0; }, "risk_aversion");
  refused(KPM_LOG_UTILITY, [](kpm_maker& m) { m.wealth = 0.0; }, "wealth");
  refused(KPM_QUADRATIC, [](kpm_maker& m) { m.curvature = kNan; }, "curvature");
  check_refused(kpm_engine_set_maker(engine, nullptr, nullptr), "maker");
  const double infinite[] = {0.0, kInfinity, 0.0};
  const kpm_maker good = some.makers.maker(KPM_QUADRATIC);
  check_refused(kpm_engine_set_maker(engine, &good, infinite), "inventory");
  check_refused(kpm_engine_set_maker(nullptr, &good, nullptr), "engine");
  CHECK(kpm_engine_state_hash(engine) == before);

  market.maker = &good;
  const auto without = [&](auto spoil, const char* field) {
    kpm_settings settings;
    kpm_settings_init(&settings, sizeof settings);
    settings.rule = KPM_COMPETITIVE;
    spoil(settings);
    some.result.result.objective = 17.0;
    check_refused(kpm_clear(&market, &orders, &settings, &some.result.result), field);
    check_refused(kpm_engine_clear(engine, &settings, &some.result.result), field);
    CHECK(some.result.result.objective == 17.0);
  };
  without([](kpm_settings& s) { s.rule = 4; }, "rule");
  without([](kpm_settings& s) { s.rule = -1; }, "rule");
  without([](kpm_settings& s) { s.rule = KPM_PDCA; }, "rule");
  without([](kpm_settings& s) { s.reserved = 1; }, "reserved");
  without([](kpm_settings& s) { s.time_limit = -1.0; }, "time_limit");
  without([](kpm_settings& s) { s.node_limit = 5; }, "node_limit");
  without([](kpm_settings& s) { s.tolerance = 0.0; }, "tolerance");
  kpm_market spoilt = market;
  spoilt.inventory = infinite;
  kpm_settings convex = some.book.settings;
  convex.rule = KPM_COMPETITIVE;
  check_refused(kpm_clear(&spoilt, &orders, &convex, &some.result.result), "inventory");
  spoilt = market;
  spoilt.maker = nullptr;
  spoilt.risk_aversion = kNan;  // the market's own maker, by a convex rule
  check_refused(kpm_clear(&spoilt, &orders, &convex, &some.result.result), "risk_aversion");
  some.book.book.price[3] = kNan;
  check_refused(kpm_clear(&market, &orders, &convex, &some.result.result), "price");
  CHECK(kpm_engine_create_maker_flat(9, 3, nullptr, 0, 0.0, 0.0, 0.0, nullptr, 2, nullptr, 0) ==
        nullptr);
  CHECK(kpm_engine_size_maker_flat(3, 2, 5, 0, 0, -1) == 0);
  check_refused(KPM_INVALID_INPUT, "priors");
  CHECK(kpm_engine_size_maker_flat(3, 2, 5, 0, 0, 50) > kpm_engine_size_flat(3, 2, 5, 0, 0));
  kpm_engine_free(engine);
}

TEST(a_program_with_the_first_structs_gets_what_it_got) {
  test::Random random(105);
  const test::CBook book(random, 4, 3, 20);
  test::CResult expected(book.book);
  CHECK(book.clear(expected.result) == KPM_OK);
  // Behind what the program knows lies what is not the library's to read or write.
  kpm_market market = book.market();
  market.struct_size = offsetof(kpm_market, maker);
  std::memset(static_cast<void*>(&market.maker), 0x5A, sizeof market - market.struct_size);
  kpm_settings settings = book.settings;
  settings.struct_size = offsetof(kpm_settings, rule);
  std::memset(&settings.rule, 0x5A, sizeof settings - settings.struct_size);
  test::CResult old(book.book);
  old.result.struct_size = offsetof(kpm_result, objective);
  old.result.objective = 17.0;
  const kpm_orders orders = book.orders();
  CHECK(kpm_clear(&market, &orders, &settings, &old.result) == KPM_OK);
  CHECK(old.result.objective == 17.0);
  old.result.objective = expected.result.objective;
  check_same(old, expected);
  kpm_engine* engine = nullptr;
  CHECK(kpm_engine_create(&market, 0, &engine) == KPM_OK);
  CHECK(kpm_engine_set_market(engine, &market) == KPM_OK);
  kpm_engine_free(engine);
  kpm_limits limits{offsetof(kpm_limits, priors), 4, 3, 20, 0, 0, -7};
  const std::size_t size = kpm_engine_size(&limits);
  limits = {sizeof limits, 4, 3, 20, 0, 0, 0};
  CHECK(size > 0 && size == kpm_engine_size(&limits));
}

}  // namespace kpm
