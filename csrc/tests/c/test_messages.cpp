// What an error says to somebody who writes a first program.
#include <string>
#include <vector>

#include "c_book.hpp"
#include "c_makers.hpp"

namespace kpm {
namespace {

/// The message of a call that must have been refused.
std::string refusal(std::int32_t code) {
  CHECK(code == KPM_INVALID_INPUT);
  return test::last_error().message;
}

/// A book, its structs, and what kpm_clear() says of them.
struct Given {
  explicit Given(const test::CBook& book)
      : market(book.market()), orders(book.orders()), settings(book.settings), result(book.book) {}

  std::string clear() { return refusal(kpm_clear(&market, &orders, &settings, &result.result)); }

  kpm_market market;
  kpm_orders orders;
  kpm_settings settings;
  test::CResult result;
};

}  // namespace

TEST(a_size_that_no_struct_has_is_answered_with_the_right_one) {
  test::Random random(181);
  const test::CBook book(random, 4, 3, 10);
  for (const std::size_t size : {std::size_t{0}, std::size_t{8}, sizeof(kpm_market) - 1}) {
    const std::string got = ", got " + std::to_string(size);
    Given given(book);
    given.market.struct_size = size;
    CHECK(given.clear() == "market must have struct_size set to sizeof(kpm_market)" + got);
  }
  Given given(book);
  given.orders.struct_size = 0;
  CHECK(given.clear() == "orders must have struct_size set to sizeof(kpm_orders), got 0");
  const kpm_limits limits{8, 4, 3, 10, 0, 0, 0};
  CHECK(kpm_engine_size(&limits) == 0);
  CHECK(refusal(test::last_error().code) ==
        "limits must have struct_size set to sizeof(kpm_limits), got 8");
}

TEST(members_of_a_later_version_are_told_with_the_size) {
  test::Random random(182);
  const test::CBook book(random, 4, 3, 10);
  struct {
    kpm_orders known;
    double later[8];
  } orders{book.orders(), {0, 0, 0, 0, 0, 0, 0, 1.0}};
  orders.known.struct_size = sizeof orders;
  const Given given(book);
  test::CResult result(book.book);
  CHECK(refusal(kpm_clear(&given.market, &orders.known, nullptr, &result.result)) ==
        "orders asks for what only a later version of the library does (struct_size " +
            std::to_string(sizeof orders) + ")");
  CHECK(test::last_error().value == static_cast<double>(sizeof orders));
}

TEST(settings_that_were_not_initialised_are_told_how) {
  test::Random random(183);
  const test::CBook book(random, 4, 3, 10);
  Given given(book);
  given.settings = {};
  given.settings.struct_size = sizeof given.settings;
  CHECK(given.clear() ==
        "tolerance must be between 0 and 1, got 0 (kpm_settings_init() sets the defaults)");
  given.settings = book.settings;
  given.settings.tolerance = 1.5;
  CHECK(given.clear() == "tolerance must be between 0 and 1, got 1.5");
}

TEST(numbers_that_name_nothing_are_answered_with_their_range) {
  test::Random random(184);
  const test::CBook book(random, 4, 3, 10);
  Given given(book);
  given.settings.rule = 7;
  CHECK(given.clear() == "rule must be 0 to 3 (kpm_rule), got 7");
  given.settings.rule = KPM_PDCA;  // the last one there is, though not this maker's
  CHECK(given.clear().find("for a Knightian maker") != std::string::npos);
  given.settings = book.settings;
  given.settings.allocation = 2;
  CHECK(given.clear() == "allocation must be 0 or 1 (kpm_allocation), got 2");

  const test::CMakers makers({0.25, 0.75}, {1.0, 1.0}, {0.5, 0.5, 0.25, 0.75});
  kpm_maker maker = makers.maker(KPM_QUADRATIC);
  const double losses[] = {0.0, 0.0};
  double cost = 0.0;
  CHECK(kpm_cost(&maker, losses, 1, &cost) == KPM_OK);
  maker.kind = KPM_QUADRATIC + 1;
  CHECK(refusal(kpm_cost(&maker, losses, 1, &cost)) ==
        "kind must be 0 to 5 (kpm_maker_kind), got 6");
  maker = makers.maker(KPM_QUADRATIC);
  maker.states = 0;
  CHECK(refusal(kpm_cost(&maker, losses, 1, &cost)) == "states must be at least 1, got 0");
}

TEST(numbers_of_states_and_claims_are_told_apart) {
  test::Random random(185);
  const test::CBook book(random, 4, 3, 10);
  Given given(book);
  given.market.states = 0;
  CHECK(given.clear() == "states must be at least 1, got 0");
  CHECK(std::string(test::last_error().field) == "states");
  given.market = book.market();
  given.market.claims = -2;
  CHECK(given.clear() == "claims must be at least 1, got -2");
  CHECK(std::string(test::last_error().field) == "claims");
  given.market = book.market();
  const std::vector<std::int64_t> claim(10, 3);
  given.orders.claim = claim.data();
  CHECK(given.clear() == "claim[0] must be at least 0 and less than the number of claims, got 3");
}

TEST(room_that_an_engine_lacks_is_told_in_the_limits_words) {
  test::Random random(186);
  const test::CBook book(random, 4, 3, 10);
  const kpm_market market = book.market();
  const kpm_limits limits{sizeof limits, 4, 3, 2, 1, 0, 0};
  const std::size_t size = kpm_engine_size(&limits);
  std::vector<unsigned char> memory(size);
  kpm_engine* engine = nullptr;
  CHECK(refusal(kpm_engine_init(memory.data(), size - 1, &limits, &market, &engine)) ==
        "size must be at least kpm_engine_size(), got " + std::to_string(size - 1) + " of " +
            std::to_string(size) + " bytes");

  CHECK(kpm_engine_create(&market, 0, &engine) == KPM_OK);
  CHECK(refusal(kpm_engine_add(engine, 1, 0, 257, 0.5, 1.0)) ==
        "side must be +1 (buy) or -1 (sell), got 257");
  CHECK(test::last_error().index == -1 && test::last_error().value == 257.0);
  CHECK(kpm_engine_add(engine, 1, 0, 1, 0.5, 1.0) == KPM_OK);
  const std::size_t needed = kpm_engine_snapshot_size(engine);
  CHECK(refusal(kpm_engine_snapshot(engine, memory.data(), 1)) ==
        "size must be at least kpm_engine_snapshot_size(), got 1 of " + std::to_string(needed) +
            " bytes");
  kpm_engine_free(engine);
}

TEST(an_unknown_id_is_the_index_of_its_error) {
  test::Random random(187);
  const test::CBook book(random, 4, 3, 10);
  const kpm_market market = book.market();
  kpm_engine* engine = nullptr;
  CHECK(kpm_engine_create(&market, 0, &engine) == KPM_OK);
  const std::int64_t id = (std::int64_t{1} << 60) + 1;  // more than a double holds
  CHECK(refusal(kpm_engine_cancel(engine, id)) ==
        "order_id must be that of an order in the book, got " + std::to_string(id));
  const kpm_error error = test::last_error();
  CHECK(std::string(error.field) == "order_id" && error.index == id && error.value == 0.0);
  kpm_engine_free(engine);
}

}  // namespace kpm
