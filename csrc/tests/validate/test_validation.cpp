#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include "kpm/validation.hpp"
#include "random_book.hpp"

namespace kpm {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// One thing wrong with a book, and the fault that must be found.
struct Breach {
  const char* what;
  Rule rule;
  Field field;
  std::int64_t index, state;
  void (*spoil)(test::RandomBook&);
};

constexpr Breach kBreaches[] = {
    {"a payoff that is no number", Rule::kFinite, Field::kPayoffs, 1, 2,
     [](test::RandomBook& book) { book.payoffs[4 + 2] = kNan; }},
    {"an infinite payoff", Rule::kFinite, Field::kPayoffs, 0, 3,
     [](test::RandomBook& book) { book.payoffs[3] = -kInfinity; }},
    {"a payoff beyond the range", Rule::kMagnitude, Field::kPayoffs, 2, 0,
     [](test::RandomBook& book) { book.payoffs[8] = 1.0000001e30; }},
    {"payoffs that hardly differ", Rule::kSpan, Field::kPayoffs, 1, -1,
     [](test::RandomBook& book) {
       std::fill(book.payoffs.begin() + 4, book.payoffs.begin() + 8, 0.0);
       book.payoffs[5] = 1e-51;
     }},
    {"a prior of zero", Rule::kPositive, Field::kPrior, 2, -1,
     [](test::RandomBook& book) { book.prior[2] = 0.0; }},
    {"a negative prior", Rule::kPositive, Field::kPrior, 0, -1,
     [](test::RandomBook& book) { book.prior[0] = -0.5; }},
    {"a prior next to zero", Rule::kLeast, Field::kPrior, 3, -1,
     [](test::RandomBook& book) { book.prior[3] = 1e-201; }},
    {"an infinite prior", Rule::kFinite, Field::kPrior, 1, -1,
     [](test::RandomBook& book) { book.prior[1] = kInfinity; }},
    {"a prior that sums to something else", Rule::kSum, Field::kPrior, -1, -1,
     [](test::RandomBook& book) { book.prior[1] += 2e-9; }},
    {"no inventory in a state", Rule::kFinite, Field::kInventory, 1, -1,
     [](test::RandomBook& book) { book.inventory[1] = kNan; }},
    {"inventory beyond the range", Rule::kMagnitude, Field::kInventory, 0, -1,
     [](test::RandomBook& book) { book.inventory[0] = -2e30; }},
    {"no risk aversion", Rule::kPositive, Field::kRiskAversion, -1, -1,
     [](test::RandomBook& book) { book.risk_aversion = 0.0; }},
    {"risk aversion that is no number", Rule::kPositive, Field::kRiskAversion, -1, -1,
     [](test::RandomBook& book) { book.risk_aversion = kNan; }},
    {"risk aversion beyond the range", Rule::kRange, Field::kRiskAversion, -1, -1,
     [](test::RandomBook& book) { book.risk_aversion = 1e-31; }},
    {"negative ambiguity", Rule::kNotNegative, Field::kAmbiguity, -1, -1,
     [](test::RandomBook& book) { book.ambiguity = -1e-300; }},
    {"ambiguity that is no number", Rule::kNotNegative, Field::kAmbiguity, -1, -1,
     [](test::RandomBook& book) { book.ambiguity = kNan; }},
    {"a claim that is not there", Rule::kIndex, Field::kClaim, 7, -1,
     [](test::RandomBook& book) { book.claim[7] = 77; }},
    {"a negative claim", Rule::kIndex, Field::kClaim, 0, -1,
     [](test::RandomBook& book) { book.claim[0] = -1; }},
    {"no side", Rule::kSide, Field::kSide, 5, -1, [](test::RandomBook& book) { book.side[5] = 0; }},
    {"a limit that is no number", Rule::kNumber, Field::kPrice, 9, -1,
     [](test::RandomBook& book) { book.price[9] = kNan; }},
    {"a negative quantity", Rule::kNotNegative, Field::kQuantity, 3, -1,
     [](test::RandomBook& book) { book.quantity[3] = -1.0; }},
    {"an infinite quantity", Rule::kNotNegative, Field::kQuantity, 2, -1,
     [](test::RandomBook& book) { book.quantity[2] = kInfinity; }},
    {"a quantity below the range", Rule::kZeroOrRange, Field::kQuantity, 8, -1,
     [](test::RandomBook& book) { book.quantity[8] = 1e-31; }},
};

}  // namespace

TEST(every_breach_is_found_where_it_is_and_refused_before_any_work) {
  test::Random random(41);
  for (const Breach& breach : kBreaches) {
    test::RandomBook book(random, 4, 3, 10);
    CHECK(!validate(book.market(), book.book()));
    breach.spoil(book);
    const Fault fault = validate(book.market(), book.book());
    CHECK(fault.rule == breach.rule && fault.field == breach.field);
    CHECK(fault.index == breach.index && fault.state == breach.state);
    const std::string text = describe(fault);
    CHECK(text.rfind(name_of(breach.field), 0) == 0);
    int refused = 0;
    try {
      clear(book.market(), book.book(), {});
    } catch (const InvalidInput& error) {
      refused += error.fault().field == breach.field && error.what() == text;
    }
    CHECK(refused == 1);
  }
}

TEST(numbers_are_written_in_the_fewest_digits_that_read_back) {
  const auto written = [](double value) {
    char text[32];
    write_shortest(value, text);
    return std::string(text);
  };
  CHECK(written(0.6) == "0.6" && written(0.1) == "0.1" && written(108554.0) == "108554");
  CHECK(written(0.1 + 0.2) == "0.30000000000000004" && written(1e30) == "1e+30");
  CHECK(written(kInfinity) == "inf" && written(kNan) == "nan");
  test::Random random(188);
  for (int at = 0; at < 1000; ++at) {
    const double value = std::exp(200.0 * (random.uniform() - 0.5));
    CHECK(std::strtod(written(value).c_str(), nullptr) == value);
  }
}

TEST(the_edges_of_every_range_are_allowed) {
  test::Random random(42);
  test::RandomBook book(random, 4, 3, 10);
  book.payoffs[0] = 1e30;
  book.payoffs[1] = -1e30;
  book.inventory[0] = 1e30;
  book.risk_aversion = 1e-30;
  book.ambiguity = kInfinity;
  book.price[0] = kInfinity;
  book.price[1] = -kInfinity;
  book.quantity[0] = 0.0;
  book.quantity[1] = 1e30;
  book.quantity[2] = 1e-30;
  book.prior = {1e-200, 0.5, 0.25, 0.25 + 9e-10};
  CHECK(!validate(book.market(), book.book()));
}

TEST(missing_arrays_and_senseless_counts_are_refused) {
  test::Random random(43);
  const test::RandomBook book(random, 4, 3, 10);
  const auto market_without = [&](auto member) {
    Market market = book.market();
    market.*member = nullptr;
    return validate(market, book.book());
  };
  CHECK(market_without(&Market::payoffs).rule == Rule::kMissing);
  CHECK(market_without(&Market::prior).field == Field::kPrior);
  CHECK(market_without(&Market::inventory).field == Field::kInventory);
  const auto orders_without = [&](auto member) {
    Orders orders = book.book();
    orders.*member = nullptr;
    return validate(book.market(), orders);
  };
  CHECK(orders_without(&Orders::claim).field == Field::kClaim);
  CHECK(orders_without(&Orders::side).field == Field::kSide);
  CHECK(orders_without(&Orders::price).field == Field::kPrice);
  CHECK(orders_without(&Orders::quantity).rule == Rule::kMissing);
  Market market = book.market();
  market.states = 0;
  CHECK(validate(market).rule == Rule::kCount);
  Orders orders = book.book();
  orders.count = -1;
  CHECK(validate(orders, 3).rule == Rule::kCount);
  CHECK(!validate(Orders{}, 3));  // an empty book needs no arrays
}

TEST(only_a_polytope_may_have_no_risk_aversion) {
  const double prior[] = {0.25, 0.75};
  MakerModel maker;
  maker.states = 2;
  maker.prior = maker.vertices = prior;
  maker.priors = 1;
  for (const double alpha : {0.0, -1.0, 1e-31, 1e31, kNan}) {
    maker.risk_aversion = alpha;
    maker.kind = MakerKind::kPolytope;
    const Fault fault = validate(maker);
    CHECK(fault.rule == (alpha == 0.0 ? Rule::kNone : Rule::kZeroOrRange));
    maker.kind = MakerKind::kKnightian;
    CHECK(validate(maker).field == Field::kRiskAversion);
  }
}

TEST(a_piece_that_the_staircase_does_not_have_is_refused) {
  test::Random random(44);
  const test::RandomBook book(random, 4, 3, 10);
  const std::vector<std::int64_t> pieces = count_pieces(book.market(), book.book());
  for (const bool above : {false, true}) {
    std::vector<std::int64_t> cell(3, 0);
    cell[1] = above ? pieces[1] : -1;
    std::int64_t refused = -1;
    try {
      solve_cell(book.market(), book.book(), cell.data(), {});
    } catch (const InvalidInput& error) {
      CHECK(error.fault().field == Field::kCell && error.fault().rule == Rule::kIndex);
      refused = error.fault().index;
    }
    CHECK(refused == 1);
  }
}

}  // namespace kpm
