#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "c_book.hpp"
#include "c_makers.hpp"
#include "kpm/makers.hpp"

namespace kpm {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr int kStates = 3;
constexpr double kLosses[] = {0.0, 3.0, -2.0};
constexpr double kPayoffs[] = {1.0, 0.0, 0.0, 0.0, 2.0, 1.0};

const test::CMakers& makers() {
  static const test::CMakers all{
      {0.5, 0.25, 0.25}, {10.0, 20.0, 5.0}, {0.5, 0.25, 0.25, 0.2, 0.4, 0.4}};
  return all;
}

void check_refused(std::int32_t code, const char* field, std::int64_t index = -1) {
  CHECK(code == KPM_INVALID_INPUT);
  CHECK(std::string(test::last_error().field) == field);
  CHECK(test::last_error().index == index);
}

}  // namespace

TEST(every_maker_answers_as_in_cpp) {
  for (std::int32_t kind = KPM_KNIGHTIAN; kind <= KPM_QUADRATIC; ++kind) {
    const kpm_maker maker = makers().maker(kind);
    const MakerModel model = makers().model(kind);
    double cost[2] = {};
    CHECK(kpm_cost(&maker, kLosses, 1, cost) == KPM_OK);
    maker_costs(model, kLosses, 1, cost + 1);
    CHECK(cost[0] == cost[1]);

    std::vector<double> c(kStates);
    std::vector<double> cpp(kStates);
    CHECK(kpm_state_prices(&maker, kLosses, 1, c.data()) == KPM_OK);
    maker_state_prices(model, kLosses, 1, cpp.data());
    CHECK(c == cpp);

    const double blocks[] = {1.0, 2.0, 3.0, 4.0};
    for (const std::int64_t sizes : {0, 2}) {
      std::vector<double> quotes(8);
      std::vector<double> expected(8);
      std::vector<double> flat(8);
      CHECK(kpm_quote(&maker, kLosses, kPayoffs, 2, blocks, sizes, quotes.data(),
                      quotes.data() + 4) == KPM_OK);
      maker_quotes(model, kLosses, kPayoffs, 2, sizes > 0 ? blocks : nullptr, sizes,
                   expected.data(), expected.data() + 4);
      CHECK(quotes == expected);
      CHECK(kpm_quote_flat(kind, kStates, makers().weights(kind), test::CMakers::kPriors,
                           test::CMakers::kRiskAversion, test::CMakers::kAmbiguity,
                           test::CMakers::parameter(kind), kLosses, kPayoffs, 2, blocks, sizes,
                           flat.data(), flat.data() + 4) == KPM_OK);
      CHECK(flat == expected);
    }

    for (const std::int32_t side : {1, -1}) {
      kpm_trade trade{};
      trade.struct_size = sizeof trade;
      CHECK(kpm_fill(&maker, kLosses, kPayoffs, side, side * kInfinity, 0.5, &trade) == KPM_OK);
      CHECK(trade.quantity == 0.5);
      // The trade costs the difference of the maker's cost.
      const double after[] = {kLosses[0] + side * 0.5, kLosses[1], kLosses[2]};
      CHECK(kpm_cost(&maker, after, 1, cost + 1) == KPM_OK);
      CHECK_NEAR(trade.cost, cost[1] - cost[0], 1e-9);
      CHECK_AT_MOST(side * trade.first_price, side * trade.last_price, 1e-12);
    }
  }
}

TEST(makers_that_python_refuses_are_refused) {
  const auto refused = [](std::int32_t kind, auto spoil, const char* field,
                          std::int64_t index = -1) {
    kpm_maker maker = makers().maker(kind);
    spoil(maker);
    double cost = 0.0;
    check_refused(kpm_cost(&maker, kLosses, 1, &cost), field, index);
  };
  static const double negative[] = {0.5, -0.25, 0.75};
  static const double heavy[] = {0.5, 0.5, 0.5, 0.5, 0.25, 0.25};
  static const double light[] = {1.0, 1e-31, 1.0};
  for (const std::int32_t kind : {KPM_KNIGHTIAN, KPM_LOG_UTILITY, KPM_QUADRATIC}) {
    refused(kind, [](kpm_maker& m) { m.prior = nullptr; }, "prior");
    refused(kind, [](kpm_maker& m) { m.prior = negative; }, "prior", 1);
    refused(kind, [](kpm_maker& m) { m.prior = heavy; }, "prior");
    refused(kind, [](kpm_maker& m) { m.states = 0; }, "states");
  }
  for (const double value : {kNan, 0.0, -1.0, kInfinity, 1e31}) {
    static double bad;
    bad = value;
    refused(KPM_KNIGHTIAN, [](kpm_maker& m) { m.risk_aversion = bad; }, "risk_aversion");
    refused(KPM_LOG_UTILITY, [](kpm_maker& m) { m.wealth = bad; }, "wealth");
    refused(KPM_QUADRATIC, [](kpm_maker& m) { m.curvature = bad; }, "curvature");
  }
  refused(KPM_KNIGHTIAN, [](kpm_maker& m) { m.ambiguity = kNan; }, "ambiguity");
  refused(KPM_STARTING_ORDERS, [](kpm_maker& m) { m.delta = nullptr; }, "delta");
  refused(KPM_STARTING_ORDERS, [](kpm_maker& m) { m.delta = light; }, "delta", 1);
  refused(KPM_POLYTOPE, [](kpm_maker& m) { m.priors = nullptr; }, "priors");
  refused(KPM_POLYTOPE, [](kpm_maker& m) { m.priors = heavy; }, "priors", 0);
  refused(KPM_POLYTOPE, [](kpm_maker& m) { m.prior_count = 0; }, "prior_count");
  refused(KPM_POLYTOPE, [](kpm_maker& m) { m.risk_aversion = -1.0; }, "risk_aversion");
  refused(6, [](kpm_maker&) {}, "kind");
  refused(-1, [](kpm_maker&) {}, "kind");
}

TEST(questions_that_python_refuses_are_refused) {
  const kpm_maker maker = makers().maker(KPM_KNIGHTIAN);
  double out[4] = {};
  const double bad[] = {0.0, kNan, 1.0};
  const double none[] = {1.0, 0.0};
  check_refused(kpm_cost(&maker, bad, 1, out), "losses", 0);
  CHECK(test::last_error().state == 1);
  check_refused(kpm_cost(&maker, nullptr, 1, out), "losses");
  check_refused(kpm_cost(&maker, kLosses, -1, out), "losses");
  check_refused(kpm_cost(&maker, kLosses, 1, nullptr), "costs");
  check_refused(kpm_state_prices(&maker, kLosses, 1, nullptr), "prices");
  check_refused(kpm_quote(&maker, kLosses, bad, 1, nullptr, 0, out, out), "payoffs", 0);
  check_refused(kpm_quote(&maker, kLosses, kPayoffs, 1, none, 2, out, out), "quantities", 0);
  check_refused(kpm_quote(&maker, kLosses, kPayoffs, 1, nullptr, 1, out, out), "quantities");
  check_refused(kpm_quote(&maker, kLosses, kPayoffs, 1, none, -1, out, out), "quantities");
  check_refused(kpm_quote(&maker, kLosses, kPayoffs, 1, none, 0, nullptr, out), "bid");
  check_refused(kpm_quote(&maker, kLosses, kPayoffs, 1, none, 0, out, nullptr), "ask");
  kpm_trade trade{};
  trade.struct_size = sizeof trade;
  check_refused(kpm_fill(&maker, kLosses, kPayoffs, 0, 0.5, 1.0, &trade), "side");
  check_refused(kpm_fill(&maker, kLosses, kPayoffs, 1, kNan, 1.0, &trade), "limit");
  check_refused(kpm_fill(&maker, kLosses, kPayoffs, 1, 0.5, -1.0, &trade), "quantity");
  check_refused(kpm_fill(&maker, kLosses, kPayoffs, 1, 0.5, kInfinity, &trade), "quantity");
  check_refused(kpm_fill(&maker, kLosses, kPayoffs, 1, 0.5, 1.0, nullptr), "trade");
  CHECK(kpm_cost(&maker, nullptr, 0, nullptr) == KPM_OK);
  CHECK(kpm_quote(&maker, kLosses, nullptr, 0, nullptr, 0, nullptr, nullptr) == KPM_OK);
}

}  // namespace kpm
