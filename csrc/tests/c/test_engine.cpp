// Engines through kpm.h, in memory of their own.
#include <string>
#include <vector>

#include "c_book.hpp"
#include "random_commands.hpp"

namespace kpm {

namespace {

kpm_engine* engine_for(const test::CBook& book) {
  const kpm_market market = book.market();
  kpm_engine* engine = nullptr;
  CHECK(kpm_engine_create(&market, 0, &engine) == KPM_OK);
  return engine;
}

std::vector<std::uint8_t> snapshot_of(kpm_engine* engine) {
  std::vector<std::uint8_t> bytes(kpm_engine_snapshot_size(engine));
  CHECK(kpm_engine_snapshot(engine, bytes.data(), bytes.size()) == KPM_OK);
  return bytes;
}

}  // namespace

TEST(any_commands_lead_to_the_book_of_a_list_and_to_the_bits_of_a_cold_clearing) {
  test::run_random_commands(false);
}

TEST(cold_clearings_search_and_have_the_same_bits) {
  std::int64_t searched = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    test::Random random(seed);
    test::CBook book(random, 4, 3, 40);
    const kpm_market market = book.market();
    test::CResult cold(book.book);
    test::CResult warm(book.book);
    kpm_engine* const engine = engine_for(book);
    for (std::size_t j = 0; j < book.book.claim.size(); ++j) {
      CHECK(kpm_engine_add(engine, static_cast<std::int64_t>(j), book.book.claim[j],
                           book.book.side[j], book.book.price[j], book.book.quantity[j]) == KPM_OK);
    }
    CHECK(book.clear(cold.result) == KPM_OK);
    const auto clear = [&](std::int64_t how, bool is_warm) {
      const std::int64_t before = kpm_engine_warm_clearings(engine);
      book.settings.cold = how;
      CHECK(kpm_engine_clear(engine, &book.settings, &warm.result) == KPM_OK);
      CHECK(warm.result.certainty_equivalent == cold.result.certainty_equivalent);
      CHECK(warm.result.upper_bound == cold.result.upper_bound);
      CHECK(warm.fills == cold.fills && warm.by_claim == cold.by_claim);
      CHECK(warm.by_state == cold.by_state && warm.cell == cold.cell);
      CHECK(kpm_engine_warm_clearings(engine) == before + (is_warm ? 1 : 0));
    };
    clear(0, false);
    CHECK(kpm_engine_clear(engine, &book.settings, &warm.result) == KPM_OK);
    if (kpm_engine_warm_clearings(engine) == 1) {
      ++searched;
      clear(0, true);
      clear(1, false);
      clear(0, true);
      CHECK(kpm_engine_forget(engine) == KPM_OK);
      clear(0, false);
      clear(0, true);
      CHECK(kpm_engine_set_market(engine, &market) == KPM_OK);
      clear(0, false);
    }
    book.settings.cold = 2;
    CHECK(kpm_engine_clear(engine, &book.settings, &warm.result) == KPM_INVALID_INPUT);
    CHECK(std::string(test::last_error().field) == "cold");
    kpm_engine_free(engine);
  }
  CHECK(searched > 0);
  CHECK(kpm_engine_forget(nullptr) == KPM_INVALID_INPUT);
  CHECK(kpm_engine_warm_clearings(nullptr) == 0);
}

TEST(a_snapshot_that_does_not_fit_the_market_changes_nothing) {
  test::Random random(84);
  const test::CBook three(random, 4, 3, 0);
  const test::CBook one(random, 4, 1, 0);
  kpm_engine* const from = engine_for(three);
  kpm_engine* const to = engine_for(one);
  for (std::int64_t id = 0; id < 30; ++id) {
    CHECK(kpm_engine_add(from, id, id % 3, 1, 0.01 * static_cast<double>(id), 1.0) == KPM_OK);
    CHECK(kpm_engine_add(to, 7 * id, 0, -1, 0.02 * static_cast<double>(id), 0.3) == KPM_OK);
  }
  CHECK(kpm_engine_cancel(to, 7) == KPM_OK);  // so that the list of free places is not trivial
  const std::uint64_t before = kpm_engine_state_hash(to);
  const std::vector<std::uint8_t> bytes = snapshot_of(from);
  CHECK(kpm_engine_restore(to, bytes.data(), bytes.size()) == KPM_INVALID_INPUT);
  CHECK(std::string(test::last_error().field) == "claim");
  CHECK(kpm_engine_state_hash(to) == before);
  CHECK(kpm_engine_add(to, 7, 0, 1, 0.5, 1.0) == KPM_OK);
  CHECK(kpm_engine_restore(from, bytes.data(), bytes.size()) == KPM_OK);
  kpm_engine_free(from);
  kpm_engine_free(to);
}

TEST(a_market_may_be_made_of_the_engine_s_own_numbers) {
  test::Random random(85);
  const test::CBook book(random, 4, 3, 20);
  kpm_engine* const engine = engine_for(book);
  kpm_market other = book.market();
  other.risk_aversion *= 2.0;
  CHECK(kpm_engine_set_market(engine, &other) == KPM_OK);
  kpm_engine* again = nullptr;
  CHECK(kpm_engine_create(&other, 0, &again) == KPM_OK);
  CHECK(kpm_engine_state_hash(engine) == kpm_engine_state_hash(again));
  kpm_engine_free(engine);
  kpm_engine_free(again);
}

TEST(limits_out_of_range_are_refused_by_name) {
  const kpm_limits good{sizeof good, 3, 2, 10, 0, 0, 0};
  CHECK(kpm_engine_size(&good) > 0);
  const auto refused = [](const kpm_limits& limits, const char* field) {
    return kpm_engine_size(&limits) == 0 && std::string(test::last_error().field) == field;
  };
  CHECK(refused({sizeof good, 0, 2, 10, 0, 0, 0}, "states"));
  CHECK(refused({sizeof good, 3, -1, 10, 0, 0, 0}, "claims"));
  CHECK(refused({sizeof good, 3, 2, -10, 0, 0, 0}, "orders"));
  CHECK(refused({sizeof good, 3, 2, 10, -1, 0, 0}, "levels"));
  CHECK(refused({sizeof good, 3, 2, 10, 0, 2000000000, 0}, "nodes"));
  CHECK(refused({7, 3, 2, 10, 0, 0, 0}, "limits"));
  const kpm_limits more{sizeof more, 3, 2, 11, 0, 0, 0};
  CHECK(kpm_engine_size(&more) > kpm_engine_size(&good));
}

}  // namespace kpm
