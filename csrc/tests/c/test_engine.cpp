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
  const kpm_limits good{sizeof good, 3, 2, 10, 0, 0};
  CHECK(kpm_engine_size(&good) > 0);
  const auto refused = [](const kpm_limits& limits, const char* field) {
    return kpm_engine_size(&limits) == 0 && std::string(test::last_error().field) == field;
  };
  CHECK(refused({sizeof good, 0, 2, 10, 0, 0}, "states"));
  CHECK(refused({sizeof good, 3, -1, 10, 0, 0}, "claims"));
  CHECK(refused({sizeof good, 3, 2, -10, 0, 0}, "orders"));
  CHECK(refused({sizeof good, 3, 2, 10, -1, 0}, "levels"));
  CHECK(refused({sizeof good, 3, 2, 10, 0, 2000000000}, "nodes"));
  CHECK(refused({7, 3, 2, 10, 0, 0}, "limits"));
  const kpm_limits more{sizeof more, 3, 2, 11, 0, 0};
  CHECK(kpm_engine_size(&more) > kpm_engine_size(&good));
}

}  // namespace kpm
