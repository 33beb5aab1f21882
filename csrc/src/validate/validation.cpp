#include "kpm/validation.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <utility>

namespace kpm {

namespace {

/// Neumaier's sum: as good as one in twice the digits, which a sum of probabilities needs to be
/// told from one.
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

/// A number by state: finite and within range.
Fault validate_money(Field field, const double* values, std::int64_t count) {
  if (const Fault fault = first(Rule::kFinite, field, values, count, is_infinite_or_nan)) {
    return fault;
  }
  return first(Rule::kMagnitude, field, values, count, is_large);
}

Fault validate_counts(const Market& market) {
  for (const int count : {market.states, market.claims}) {
    if (count < 1) {
      return {Rule::kCount, Field::kMarket, -1, -1, static_cast<double>(count)};
    }
  }
  return {};
}

Fault validate_prior(const Market& market) {
  if (market.prior == nullptr) {
    return {Rule::kMissing, Field::kPrior, -1, -1, 0.0};
  }
  const std::int64_t n = market.states;
  if (const Fault fault =
          first(Rule::kFinite, Field::kPrior, market.prior, n, is_infinite_or_nan)) {
    return fault;
  }
  if (const Fault fault = first(Rule::kPositive, Field::kPrior, market.prior, n,
                                [](double q) { return !(q > 0.0); })) {
    return fault;
  }
  if (const Fault fault = first(Rule::kLeast, Field::kPrior, market.prior, n,
                                [](double q) { return q < kLeastPrior; })) {
    return fault;
  }
  Sum sum;
  std::for_each(market.prior, market.prior + n, [&](double q) { sum.add(q); });
  if (!(std::abs(sum.total() - 1.0) <= kPriorTolerance)) {
    return {Rule::kSum, Field::kPrior, -1, -1, sum.total()};
  }
  return {};
}

Fault validate_maker(const Market& market) {
  const double alpha = market.risk_aversion;
  if (!(std::isfinite(alpha) && alpha > 0.0)) {
    return {Rule::kPositive, Field::kRiskAversion, -1, -1, alpha};
  }
  if (alpha < kSmallest || alpha > kLargest) {
    return {Rule::kRange, Field::kRiskAversion, -1, -1, alpha};
  }
  if (!(market.ambiguity >= 0.0)) {
    return {Rule::kNotNegative, Field::kAmbiguity, -1, -1, market.ambiguity};
  }
  return {};
}

}  // namespace

const char* name_of(Field field) {
  constexpr const char* kNames[] = {"market",    "payoffs", "prior", "inventory", "risk_aversion",
                                    "ambiguity", "orders",  "claim", "side",      "price",
                                    "quantity",  "time",    "cell",  "order_id",  "snapshot"};
  return kNames[static_cast<std::size_t>(field)];
}

const char* rule_of(const Fault& fault) {
  switch (fault.rule) {
    case Rule::kNone:
      return "is fine";
    case Rule::kMissing:
      return "is missing";
    case Rule::kCount:
      return fault.field == Field::kMarket ? "must have at least one state and one claim"
                                           : "must not be a negative number of orders";
    case Rule::kNumber:
      return "must be a number (infinity is allowed)";
    case Rule::kFinite:
      return "must be finite";
    case Rule::kMagnitude:
      return "must be between -1e+30 and 1e+30";
    case Rule::kSpan:
      return "must be all alike or differ by 1e-50 or more";
    case Rule::kPositive:
      return fault.field == Field::kRiskAversion ? "must be a finite number > 0"
                                                 : "must be greater than zero";
    case Rule::kLeast:
      return "must be at least 1e-200";
    case Rule::kSum:
      return "must sum to 1 within 1e-09";
    case Rule::kNotNegative:
      return fault.field == Field::kQuantity ? "must be finite and >= 0"
                                             : "must be a number >= 0 (inf is allowed)";
    case Rule::kRange:
      return fault.field == Field::kQuantity ? "must be 0 or between 1e-30 and 1e+30"
                                             : "must be between 1e-30 and 1e+30";
    case Rule::kIndex:
      return "must be an index within range";
    case Rule::kSide:
      return "must be +1 (buy) or -1 (sell)";
    case Rule::kUnknown:
      return "must be that of an order in the book";
    case Rule::kDuplicate:
      return "must not be in the book already";
    case Rule::kExceeds:
      return "must not exceed what the order has";
    case Rule::kFull:
      return "must not exceed the engine's fixed limits";
    case Rule::kClaims:
      return "must have as many claims as before";
    case Rule::kDamaged:
      break;
  }
  return "is no snapshot of a book, or a damaged one";
}

std::string describe(const Fault& fault) {
  std::string text = name_of(fault.field);
  if (fault.field == Field::kOrderId) {  // ids are integers of any sign, more than a double holds
    return text + " " + rule_of(fault) + ", got " + std::to_string(fault.index);
  }
  if (fault.index >= 0) {
    text += "[" + std::to_string(fault.index) + "]";
  }
  if (fault.state >= 0) {
    text += "[" + std::to_string(fault.state) + "]";
  }
  text += std::string(" ") + rule_of(fault);
  if (fault.rule != Rule::kNone && fault.rule != Rule::kMissing && fault.rule != Rule::kDamaged) {
    char number[40];
    std::snprintf(number, sizeof number, ", got %.17g", fault.value);
    text += number;
  }
  return text;
}

Fault validate_payoffs(const Market& market) {
  if (const Fault fault = validate_counts(market)) {
    return fault;
  }
  if (market.payoffs == nullptr) {
    return {Rule::kMissing, Field::kPayoffs, -1, -1, 0.0};
  }
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
  for (std::int64_t k = 0; k < market.claims; ++k) {
    const double* const row = market.payoffs + k * n;
    const auto [least, most] = std::minmax_element(row, row + n);
    const double span = *most - *least;
    if (span > 0.0 && span < kLeastSpan) {
      return {Rule::kSpan, Field::kPayoffs, k, -1, span};
    }
  }
  return {};
}

Fault validate(const Market& market) {
  if (const Fault fault = validate_payoffs(market)) {
    return fault;
  }
  if (const Fault fault = validate_prior(market)) {
    return fault;
  }
  if (market.inventory == nullptr) {
    return {Rule::kMissing, Field::kInventory, -1, -1, 0.0};
  }
  if (const Fault fault = validate_money(Field::kInventory, market.inventory, market.states)) {
    return fault;
  }
  return validate_maker(market);
}

Fault validate_prices(const double* price, std::int64_t count) {
  return first(Rule::kNumber, Field::kPrice, price, count,
               [](double limit) { return std::isnan(limit); });
}

Fault validate_quantities(const double* quantity, std::int64_t count) {
  if (const Fault fault = first(Rule::kNotNegative, Field::kQuantity, quantity, count,
                                [](double q) { return !(q >= 0.0 && q < kInfinity); })) {
    return fault;
  }
  return first(Rule::kRange, Field::kQuantity, quantity, count,
               [](double q) { return q > kLargest || (q < kSmallest && q != 0.0); });
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

Fault validate(const Market& market, const Orders& orders) {
  const Fault fault = validate(market);
  return fault ? fault : validate(orders, market.claims);
}

}  // namespace kpm
