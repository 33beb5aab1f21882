#include "kpm/validation.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "numerics/extremes.hpp"

namespace kpm {

namespace {

/// Neumaier's compensated sum, as accurate as in twice the precision: whether probabilities sum to
/// one must not depend on rounding.
class Sum {
 public:
  void add(double value) {
    const double total = sum_ + value;
    rest_ += std::abs(sum_) >= std::abs(value) ? (sum_ - total) + value : (value - total) + sum_;
    sum_ = total;
  }
  double total() const { return sum_ + rest_; }

 private:
  double sum_ = 0.0;
  double rest_ = 0.0;
};

/// The first entry for which `broken` holds.
template <class T, class Broken>
Fault first(Rule rule, Field field, const T* values, std::int64_t count, Broken&& broken) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (broken(values[i])) {
      return {rule, field, i, -1, static_cast<double>(values[i])};
    }
  }
  return {};
}

bool is_infinite_or_nan(double value) { return !std::isfinite(value); }
bool is_large(double value) { return std::abs(value) > kLargest; }

/// Whether none is infinite, NaN or too large: found in one pass, where nothing is to be named.
bool all_in_range(const double* values, std::int64_t count) {
  return std::all_of(values, values + count,
                     [](double value) { return std::abs(value) <= kLargest; });
}

/// A number by state: finite and within range.
Fault validate_money(Field field, const double* values, std::int64_t count) {
  if (all_in_range(values, count)) {
    return {};
  }
  if (const Fault fault = first(Rule::kFinite, field, values, count, is_infinite_or_nan)) {
    return fault;
  }
  return first(Rule::kMagnitude, field, values, count, is_large);
}

Fault validate_counts(const Market& market) {
  for (const auto& [count, field] :
       {std::pair<int, Field>{market.states, Field::kStates}, {market.claims, Field::kClaims}}) {
    if (count < 1) {
      return {Rule::kCount, field, -1, -1, static_cast<double>(count)};
    }
  }
  return {};
}

Fault validate_inventory(const Market& market) {
  if (market.inventory == nullptr) {
    return {Rule::kMissing, Field::kInventory, -1, -1, 0.0};
  }
  return validate_money(Field::kInventory, market.inventory, market.states);
}

/// Probabilities that sum to one.
Fault validate_sum(Field field, std::int64_t row, const double* values, std::int64_t count) {
  Sum sum;
  std::for_each(values, values + count, [&](double q) { sum.add(q); });
  if (!(std::abs(sum.total() - 1.0) <= kPriorTolerance)) {
    return {Rule::kSum, field, row, -1, sum.total()};
  }
  return {};
}

Fault validate_prior(const double* prior, std::int64_t n) {
  if (prior == nullptr) {
    return {Rule::kMissing, Field::kPrior, -1, -1, 0.0};
  }
  if (const Fault fault = first(Rule::kFinite, Field::kPrior, prior, n, is_infinite_or_nan)) {
    return fault;
  }
  if (const Fault fault =
          first(Rule::kPositive, Field::kPrior, prior, n, [](double q) { return !(q > 0.0); })) {
    return fault;
  }
  if (const Fault fault =
          first(Rule::kLeast, Field::kPrior, prior, n, [](double q) { return q < kLeastPrior; })) {
    return fault;
  }
  return validate_sum(Field::kPrior, -1, prior, n);
}

Fault validate_preferences(double risk_aversion, double ambiguity) {
  if (!(std::isfinite(risk_aversion) && risk_aversion > 0.0)) {
    return {Rule::kPositive, Field::kRiskAversion, -1, -1, risk_aversion};
  }
  if (risk_aversion < kSmallest || risk_aversion > kLargest) {
    return {Rule::kRange, Field::kRiskAversion, -1, -1, risk_aversion};
  }
  if (!(ambiguity >= 0.0)) {
    return {Rule::kNotNegative, Field::kAmbiguity, -1, -1, ambiguity};
  }
  return {};
}

/// A parameter within range.
Fault validate_parameter(Field field, double value) {
  if (!(value >= kSmallest && value <= kLargest)) {
    return {Rule::kRange, field, -1, -1, value};
  }
  return {};
}

Fault validate_deltas(const double* delta, std::int64_t n) {
  if (delta == nullptr) {
    return {Rule::kMissing, Field::kDelta, -1, -1, 0.0};
  }
  return first(Rule::kRange, Field::kDelta, delta, n,
               [](double money) { return !(money >= kSmallest && money <= kLargest); });
}

Fault validate_polytope(const MakerModel& maker) {
  const std::int64_t n = maker.states;
  if (maker.priors < 1) {
    return {Rule::kCount, Field::kMaker, -1, -1, static_cast<double>(maker.priors)};
  }
  if (maker.vertices == nullptr) {
    return {Rule::kMissing, Field::kPriors, -1, -1, 0.0};
  }
  for (std::int64_t row = 0; row < maker.priors; ++row) {
    Fault fault = first(Rule::kShare, Field::kPriors, maker.vertices + row * n, n,
                        [](double p) { return !(p >= 0.0 && p <= 1.0 + kPriorTolerance); });
    if (fault) {
      fault.state = fault.index;
      fault.index = row;
      return fault;
    }
  }
  for (std::int64_t row = 0; row < maker.priors; ++row) {
    if (const Fault fault = validate_sum(Field::kPriors, row, maker.vertices + row * n, n)) {
      return fault;
    }
  }
  if (maker.risk_aversion == 0.0) {
    return {};
  }
  Fault fault = validate_parameter(Field::kRiskAversion, maker.risk_aversion);
  if (fault) {
    fault.rule = Rule::kZeroOrRange;
  }
  return fault;
}

bool is_quantity(double q) { return ((q >= kSmallest) & (q <= kLargest)) | (q == 0.0); }

/// The bits of a number: of those without a sign, in the order of the numbers.
std::uint64_t bits_of(double number) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &number, sizeof bits);
  return bits;
}

/// Whether all orders clearly keep the rules: found in one pass, where nothing is to be named.
bool all_keep_rules(const Orders& orders, int claims) {
  std::uint64_t claim = 0;
  int side = 0;                  // what differs from one of its squares
  std::uint64_t limit = 0;       // the largest without its sign: NaN are beyond infinity
  std::uint64_t most = 0;        // quantity: with a sign beyond all without
  std::uint64_t least = ~limit;  // quantity but zero, which comes last here
  for (std::int64_t j = 0; j < orders.count; ++j) {
    claim = std::max(claim, static_cast<std::uint64_t>(orders.claim[j]));
    side |= (orders.side[j] * orders.side[j]) ^ 1;
    limit = std::max(limit, 2 * bits_of(orders.price[j]));
    const std::uint64_t quantity = bits_of(orders.quantity[j]);
    most = std::max(most, quantity);
    least = std::min(least, quantity - 1);
  }
  return claim < static_cast<std::uint64_t>(claims) && side == 0 &&
         limit <= 2 * bits_of(kInfinity) && most <= bits_of(kLargest) &&
         least >= bits_of(kSmallest) - 1;
}

/// The payoff that is no number, or else the first that is too large.
Fault name_payoff(const Market& market) {
  const std::int64_t n = market.states;
  for (const bool finite : {true, false}) {  // as for vectors: first whether all are numbers at all
    for (std::int64_t k = 0; k < market.claims; ++k) {
      const double* const row = market.payoffs + k * n;
      Fault fault = finite ? first(Rule::kFinite, Field::kPayoffs, row, n, is_infinite_or_nan)
                           : first(Rule::kMagnitude, Field::kPayoffs, row, n, is_large);
      if (fault) {
        fault.state = fault.index;
        fault.index = k;
        return fault;
      }
    }
  }
  return {};
}

}  // namespace

Fault validate_payoffs(const Market& market) {
  if (const Fault fault = validate_counts(market)) {
    return fault;
  }
  if (market.payoffs == nullptr) {
    return {Rule::kMissing, Field::kPayoffs, -1, -1, 0.0};
  }
  Fault narrow;
  for (std::int64_t k = 0; k < market.claims; ++k) {
    const auto [least, most] = extremes_of(market.payoffs + k * market.states, market.states);
    if (!(least >= -kLargest && most <= kLargest)) {
      return name_payoff(market);
    }
    const double span = most - least;
    if (span > 0.0 && span < kLeastSpan && !narrow) {
      narrow = {Rule::kSpan, Field::kPayoffs, k, -1, span};
    }
  }
  return narrow;
}

Fault validate(const Market& market) {
  if (const Fault fault = validate_payoffs(market)) {
    return fault;
  }
  if (const Fault fault = validate_prior(market.prior, market.states)) {
    return fault;
  }
  if (const Fault fault = validate_inventory(market)) {
    return fault;
  }
  return validate_preferences(market.risk_aversion, market.ambiguity);
}

Fault validate_prices(const double* price, std::int64_t count) {
  return first(Rule::kNumber, Field::kPrice, price, count,
               [](double limit) { return std::isnan(limit); });
}

Fault validate_quantities(const double* quantity, std::int64_t count) {
  if (std::all_of(quantity, quantity + count, is_quantity)) {
    return {};
  }
  if (const Fault fault = first(Rule::kNotNegative, Field::kQuantity, quantity, count,
                                [](double q) { return !(q >= 0.0 && q < kInfinity); })) {
    return fault;
  }
  return first(Rule::kZeroOrRange, Field::kQuantity, quantity, count,
               [](double q) { return !is_quantity(q); });
}

Fault validate(const Orders& orders, int claims) {
  const std::int64_t count = orders.count;
  if (count < 0) {
    return {Rule::kCount, Field::kOrders, -1, -1, static_cast<double>(count)};
  }
  if (count == 0) {
    return {};
  }
  for (const auto& [array, field] : {std::pair<const void*, Field>{orders.claim, Field::kClaim},
                                     {orders.side, Field::kSide},
                                     {orders.price, Field::kPrice},
                                     {orders.quantity, Field::kQuantity}}) {
    if (array == nullptr) {
      return {Rule::kMissing, field, -1, -1, 0.0};
    }
  }
  if (orders.time == nullptr && all_keep_rules(orders, claims)) {
    return {};
  }
  if (const Fault fault = first(Rule::kIndex, Field::kClaim, orders.claim, count,
                                [&](std::int64_t k) { return k < 0 || k >= claims; })) {
    return fault;
  }
  if (const Fault fault = first(Rule::kSide, Field::kSide, orders.side, count,
                                [](int side) { return side != 1 && side != -1; })) {
    return fault;
  }
  if (const Fault fault = validate_prices(orders.price, count)) {
    return fault;
  }
  if (const Fault fault = validate_quantities(orders.quantity, count)) {
    return fault;
  }
  if (orders.time != nullptr) {
    return first(Rule::kFinite, Field::kTime, orders.time, count, is_infinite_or_nan);
  }
  return {};
}

Fault validate(const ClearSettings& settings) {
  if (!(settings.tolerance > 0.0 && settings.tolerance < 1.0)) {
    return {Rule::kShare, Field::kTolerance, -1, -1, settings.tolerance};
  }
  if (!(settings.time_limit >= 0.0)) {
    return {Rule::kNotNegative, Field::kTimeLimit, -1, -1, settings.time_limit};
  }
  if (settings.node_limit < 0) {
    return {Rule::kCount, Field::kNodeLimit, -1, -1, static_cast<double>(settings.node_limit)};
  }
  if (settings.threads < 0 || settings.threads > kMostThreads) {
    return {Rule::kCount, Field::kThreads, -1, -1, static_cast<double>(settings.threads)};
  }
  return {};
}

Fault validate(const MakerModel& maker) {
  if (maker.states < 1) {
    return {Rule::kCount, Field::kStates, -1, -1, static_cast<double>(maker.states)};
  }
  switch (maker.kind) {
    case MakerKind::kKnightian: {
      const Fault fault = validate_prior(maker.prior, maker.states);
      return fault ? fault : validate_preferences(maker.risk_aversion, maker.ambiguity);
    }
    case MakerKind::kStartingOrders:
      return validate_deltas(maker.delta, maker.states);
    case MakerKind::kWorstState:
      return {};
    case MakerKind::kPolytope:
      return validate_polytope(maker);
    case MakerKind::kUtility: {
      const Fault fault = validate_prior(maker.prior, maker.states);
      return fault ? fault : validate_parameter(Field::kWealth, maker.wealth);
    }
    case MakerKind::kQuadratic:
      break;
  }
  const Fault fault = validate_prior(maker.prior, maker.states);
  return fault ? fault : validate_parameter(Field::kCurvature, maker.curvature);
}

Fault validate(const Market& market, const MakerModel& maker) {
  if (const Fault fault = validate_payoffs(market)) {
    return fault;
  }
  if (maker.states != market.states) {
    return {Rule::kStates, Field::kMaker, -1, -1, static_cast<double>(maker.states)};
  }
  if (const Fault fault = validate(maker)) {
    return fault;
  }
  return validate_inventory(market);
}

Fault validate_rule(MakerKind maker, std::int64_t rule) {
  const auto any = [rule](ConvexRule first, ConvexRule last) {
    return rule >= number_of(first) && rule <= number_of(last);
  };
  Rule has = Rule::kConvex;
  bool given = any(ConvexRule::kCompetitive, ConvexRule::kPayAsBid);
  if (maker == MakerKind::kKnightian) {
    has = Rule::kOfKnightian;
    given = given || rule == kMakerOptimal;
  } else if (maker == MakerKind::kStartingOrders) {
    has = Rule::kOfStarting;
    given = given || rule == number_of(ConvexRule::kPdca);
  }
  return given ? Fault() : Fault{has, Field::kRule, -1, -1, static_cast<double>(rule)};
}

Fault validate_rows(Field field, const double* rows, std::int64_t count, int states) {
  if (count < 0) {
    return {Rule::kCount, field, -1, -1, static_cast<double>(count)};
  }
  if (rows == nullptr && count > 0) {
    return {Rule::kMissing, field, -1, -1, 0.0};
  }
  for (std::int64_t row = 0; row < count; ++row) {
    if (Fault fault = validate_money(field, rows + row * states, states)) {
      fault.state = fault.index;
      fault.index = row;
      return fault;
    }
  }
  return {};
}

Fault validate_blocks(const double* quantities, std::int64_t claims, std::int64_t sizes) {
  if (sizes < 0) {
    return {Rule::kCount, Field::kQuantities, -1, -1, static_cast<double>(sizes)};
  }
  if (quantities == nullptr && claims > 0 && sizes > 0) {
    return {Rule::kMissing, Field::kQuantities, -1, -1, 0.0};
  }
  for (std::int64_t row = 0; row < claims; ++row) {
    Fault fault = first(Rule::kRange, Field::kQuantities, quantities + row * sizes, sizes,
                        [](double q) { return !(q >= kSmallest && q <= kLargest); });
    if (fault) {
      fault.state = fault.index;  // the column
      fault.index = row;
      return fault;
    }
  }
  return {};
}

Fault validate(const Market& market, const Orders& orders) {
  const Fault fault = validate(market);
  return fault ? fault : validate(orders, market.claims);
}

}  // namespace kpm
