// Structs of every size that a caller may state, in memory that ends where they do.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "c_book.hpp"

namespace kpm {
namespace {

// By so much every struct of the later library has grown that these tests are run against as well.
constexpr std::size_t kGrown = 24;

/// The first bytes of a struct, with zeros behind it where there are more, in memory of that size.
template <class T>
class Cut {
 public:
  Cut(const T& whole, std::size_t size) : bytes_(std::max(size, sizeof size)) {
    std::memcpy(bytes_.data(), &whole, std::min(size, sizeof whole));
    std::memcpy(bytes_.data(), &size, sizeof size);
  }

  T* get() { return reinterpret_cast<T*>(bytes_.data()); }
  /// What there is of it now; the rest is zero.
  T now() const {
    T all{};
    std::memcpy(&all, bytes_.data(), std::min(bytes_.size(), sizeof all));
    return all;
  }
  const unsigned char* bytes() const { return bytes_.data(); }

 private:
  std::vector<unsigned char> bytes_;
};

/// Calls with a struct of every size: refused, naming it, unless `ends` or the library's own end is
/// the size. `call` takes the struct and returns the code.
template <class T, class Call>
void for_every_size(const T& whole, const std::vector<std::size_t>& ends, const char* name,
                    Call&& call) {
  for (std::size_t size = 0; size <= sizeof whole + 4 * kGrown; ++size) {
    if (size > sizeof whole && size < sizeof whole + kGrown) {
      continue;  // the end of a member, or not, in the later library
    }
    Cut<T> cut(whole, size);
    const bool known = size >= sizeof whole || std::count(ends.begin(), ends.end(), size) > 0;
    CHECK(call(cut, size) == (known ? KPM_OK : KPM_INVALID_INPUT));
    if (!known) {
      CHECK(test::last_error().field == std::string(name));
      CHECK(std::strstr(test::last_error().message, "struct_size") != nullptr);
      CHECK(test::last_error().value == static_cast<double>(size));
    }
  }
  Cut<T> absurd(whole, sizeof(std::size_t));
  const std::size_t most = ~std::size_t{0};
  std::memcpy(absurd.get(), &most, sizeof most);
  CHECK(call(absurd, most) == KPM_INVALID_INPUT);
}

template <class T, class Member>
std::size_t end(Member T::* member) {
  static const T none{};
  return static_cast<std::size_t>(reinterpret_cast<const char*>(&(none.*member)) -
                                  reinterpret_cast<const char*>(&none)) +
         sizeof(Member);
}

}  // namespace

TEST(a_book_s_structs_end_between_members_or_are_refused) {
  test::Random random(141);
  const test::CBook book(random, 4, 3, 12);
  const kpm_market market = book.market();
  const kpm_orders orders = book.orders();
  test::CResult expected(book.book);
  CHECK(book.clear(expected.result) == KPM_OK);
  const auto same = [&](const test::CResult& result) {
    CHECK(result.fills == expected.fills && result.by_claim == expected.by_claim);
    CHECK(result.result.certainty_equivalent == expected.result.certainty_equivalent);
  };

  for_every_size(market, {end(&kpm_market::ambiguity), end(&kpm_market::maker)}, "market",
                 [&](Cut<kpm_market>& cut, std::size_t) {
                   test::CResult result(book.book);
                   const std::int32_t code =
                       kpm_clear(cut.get(), &orders, &book.settings, &result.result);
                   if (code == KPM_OK) {
                     same(result);
                   }
                   kpm_engine* engine = nullptr;
                   CHECK(kpm_engine_create(cut.get(), 0, &engine) == code);
                   kpm_engine_free(engine);
                   return code;
                 });
  for_every_size(
      orders, {end(&kpm_orders::time)}, "orders", [&](Cut<kpm_orders>& cut, std::size_t) {
        test::CResult result(book.book);
        const std::int32_t code = kpm_clear(&market, cut.get(), &book.settings, &result.result);
        if (code == KPM_OK) {
          same(result);
        }
        return code;
      });
}

TEST(settings_count_as_far_as_their_members_are_whole) {
  test::Random random(142);
  const test::CBook book(random, 3, 2, 10);
  const kpm_market market = book.market();
  const kpm_orders orders = book.orders();
  kpm_settings settings = book.settings;
  settings.rule = KPM_PAY_AS_BID;
  const std::vector<std::size_t> ends{end(&kpm_settings::stop), end(&kpm_settings::cold),
                                      end(&kpm_settings::rule), end(&kpm_settings::reserved)};
  test::CResult by_rule(book.book);
  CHECK(kpm_clear(&market, &orders, &settings, &by_rule.result) == KPM_OK);
  test::CResult by_default(book.book);
  CHECK(book.clear(by_default.result) == KPM_OK);
  CHECK(by_rule.result.objective != by_default.result.objective);
  for_every_size(settings, ends, "settings", [&](Cut<kpm_settings>& cut, std::size_t size) {
    test::CResult result(book.book);
    const std::int32_t code = kpm_clear(&market, &orders, cut.get(), &result.result);
    if (code == KPM_OK) {
      const bool has_rule = size >= end(&kpm_settings::rule);
      CHECK(result.result.objective == (has_rule ? by_rule : by_default).result.objective);
    }
    return code;
  });

  for (std::size_t size = sizeof size; size <= sizeof settings + kGrown; ++size) {
    Cut<kpm_settings> cut(settings, size);
    kpm_settings_init(cut.get(), size);
    const kpm_settings now = cut.now();
    CHECK(now.struct_size == size);
    const bool has_threads = size >= end(&kpm_settings::stop);
    CHECK(now.threads == (has_threads ? 1 : 0) && now.rule == KPM_MAKER_OPTIMAL);
    CHECK(now.tolerance == (has_threads ? 1e-8 : 0.0));
  }
}

TEST(a_result_is_written_in_whole_members_within_its_size) {
  test::Random random(143);
  const test::CBook book(random, 3, 2, 10);
  const kpm_market market = book.market();
  kpm_engine* engine = nullptr;
  CHECK(kpm_engine_create(&market, 0, &engine) == KPM_OK);
  test::CResult expected(book.book);
  CHECK(book.clear(expected.result) == KPM_OK);
  for_every_size(expected.result, {end(&kpm_result::threads), end(&kpm_result::objective)},
                 "result", [&](Cut<kpm_result>& cut, std::size_t size) {
                   const std::int32_t code = book.clear(*cut.get());
                   if (code == KPM_OK) {
                     const kpm_result now = cut.now();
                     CHECK(now.struct_size == size);
                     CHECK(now.upper_bound == expected.result.upper_bound);
                     CHECK(now.objective ==
                           (size < end(&kpm_result::objective) ? 0.0 : expected.result.objective));
                   }
                   kpm_result* const given = cut.get();
                   CHECK(kpm_engine_indicative(engine, nullptr, given) == code);
                   return code;
                 });
  kpm_engine_free(engine);
}

TEST(makers_limits_and_trades_end_between_members_or_are_refused) {
  const double prior[] = {0.5, 0.5};
  const double losses[] = {0.0, 1.0};
  const double payoff[] = {1.0, 0.0};
  kpm_maker maker{};
  maker.struct_size = sizeof maker;
  maker.kind = KPM_QUADRATIC;
  maker.states = 2;
  maker.prior = prior;
  maker.curvature = 12.0;
  double expected = 0.0;
  CHECK(kpm_cost(&maker, losses, 1, &expected) == KPM_OK);
  for_every_size(maker, {}, "maker", [&](Cut<kpm_maker>& cut, std::size_t) {
    double cost = 0.0;
    const std::int32_t code = kpm_cost(cut.get(), losses, 1, &cost);
    CHECK(code != KPM_OK || cost == expected);
    return code;
  });

  kpm_limits limits{};
  limits.struct_size = sizeof limits;
  limits.states = 3;
  limits.claims = 2;
  limits.orders = 20;
  const std::size_t without = kpm_engine_size(&limits);
  limits.priors = 4;
  const std::size_t with = kpm_engine_size(&limits);
  CHECK(with > without && without > 0);
  for_every_size(limits, {end(&kpm_limits::nodes), end(&kpm_limits::priors)}, "limits",
                 [&](Cut<kpm_limits>& cut, std::size_t size) {
                   const std::size_t bytes = kpm_engine_size(cut.get());
                   if (bytes == 0) {
                     return KPM_INVALID_INPUT;
                   }
                   CHECK(bytes == (size < end(&kpm_limits::priors) ? without : with));
                   return KPM_OK;
                 });

  kpm_trade trade{};
  CHECK(end(&kpm_trade::last_price) == sizeof trade);
  for_every_size(trade, {}, "trade", [&](Cut<kpm_trade>& cut, std::size_t) {
    const auto code =
        static_cast<kpm_code>(kpm_fill(&maker, losses, payoff, 1, 10.0, 0.5, cut.get()));
    CHECK(cut.now().quantity == (code == KPM_OK ? 0.5 : 0.0));
    return code;
  });
}

TEST(an_error_is_written_in_whole_members_within_its_size) {
  CHECK(kpm_clear(nullptr, nullptr, nullptr, nullptr) == KPM_INVALID_INPUT);
  kpm_error untouched{};
  std::memset(&untouched, 0x5A, sizeof untouched);
  const std::vector<std::size_t> ends{end(&kpm_error::code),   end(&kpm_error::reserved),
                                      end(&kpm_error::field),  end(&kpm_error::index),
                                      end(&kpm_error::state),  end(&kpm_error::value),
                                      end(&kpm_error::message)};
  for (std::size_t size = sizeof size; size <= sizeof untouched; ++size) {
    Cut<kpm_error> cut(untouched, size);
    CHECK(kpm_last_error(cut.get()) == KPM_INVALID_INPUT);
    std::size_t written = sizeof size;  // the caller's own
    for (const std::size_t member : ends) {
      written = member <= size ? member : written;
    }
    for (std::size_t at = written; at < size; ++at) {
      CHECK(cut.bytes()[at] == 0x5A);
    }
    if (written >= end(&kpm_error::field)) {
      CHECK(std::string(cut.now().field) == "market");
    }
    if (written == sizeof untouched) {
      CHECK(std::string(cut.now().message) == "market is missing");
    }
  }
}

}  // namespace kpm
