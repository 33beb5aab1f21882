// What is wrong with input, in words.
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string>

#include "kpm/validation.hpp"

namespace kpm {

const char* name_of(Field field) {
  constexpr const char* kNames[] = {
      "market",  "payoffs",    "prior",    "inventory", "risk_aversion", "ambiguity",
      "orders",  "claim",      "side",     "price",     "quantity",      "time",
      "cell",    "order_id",   "snapshot", "tolerance", "time_limit",    "node_limit",
      "threads", "maker",      "delta",    "priors",    "wealth",        "curvature",
      "losses",  "quantities", "limit",    "rule",      "states",        "claims"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(Field::kClaims) + 1);
  return kNames[static_cast<std::size_t>(field)];
}

namespace {

constexpr double kMostCounted = 2147483647.0;

const char* rule_of_count(Field field, double value) {
  if (value > kMostCounted) {
    return "must be at most 2147483647";
  }
  switch (field) {
    case Field::kStates:
    case Field::kClaims:
      return "must be at least 1";
    case Field::kOrders:
      return "must not be a negative number of orders";
    case Field::kThreads:
      return "must be between 0 and 1024";
    case Field::kMaker:
      return "must have at least one prior";
    default:
      return "must not be negative";
  }
}

/// What a fixed engine has no room for.
const char* rule_of_limits(Field field) {
  switch (field) {
    case Field::kOrders:
      return "would be more than limits.orders allows";
    case Field::kPrice:
      return "would be one level more than limits.levels allows";
    case Field::kPriors:
      return "must not be more rows than limits.priors allows";
    default:
      return "must not have more states than limits.states allows";
  }
}

}  // namespace

const char* rule_of(const Fault& fault) {
  switch (fault.rule) {
    case Rule::kNone:
      return "is fine";
    case Rule::kMissing:
      return "is missing";
    case Rule::kCount:
      return rule_of_count(fault.field, fault.value);
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
      return "must be between 1e-30 and 1e+30";
    case Rule::kZeroOrRange:
      return "must be 0 or between 1e-30 and 1e+30";
    case Rule::kIndex:
      return fault.field == Field::kClaim ? "must be at least 0 and less than the number of claims"
                                          : "must be the index of a piece of its claim's staircase";
    case Rule::kShare:
      return "must be between 0 and 1";
    case Rule::kSide:
      return "must be +1 (buy) or -1 (sell)";
    case Rule::kUnknown:
      return "must be that of an order in the book";
    case Rule::kDuplicate:
      return "must not be in the book already";
    case Rule::kExceeds:
      return "must not exceed what the order has";
    case Rule::kFull:
      return rule_of_limits(fault.field);
    case Rule::kClaims:
      return "must have as many claims as before";
    case Rule::kStates:
      return "must have as many states as the market";
    case Rule::kOfKnightian:
      return "must be 0 (maker_optimal), 1 (competitive) or 2 (pay_as_bid) for a Knightian maker";
    case Rule::kOfStarting:
      return "must be 1 (competitive), 2 (pay_as_bid) or 3 (pdca) for a maker of starting orders";
    case Rule::kConvex:
      return "must be 1 (competitive) or 2 (pay_as_bid) for this maker";
    case Rule::kDamaged:
      break;
  }
  return "is not a snapshot of a book, or is damaged";
}

void write_shortest(double value, char (&text)[32]) noexcept {
  for (int digits = 15; digits <= 17; ++digits) {
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    if (std::strtod(text, nullptr) == value) {
      break;
    }
  }
  // The decimal point is that of the program's locale.
  char* const point = text + std::strspn(text, "+-0123456789einfa");
  const char* const rest = point + std::strcspn(point, "0123456789");
  if (rest != point) {
    std::memmove(point + 1, rest, std::strlen(rest) + 1);
    *point = '.';
  }
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
    char number[32];
    write_shortest(fault.value, number);
    text += std::string(", got ") + number;
  }
  return text;
}

}  // namespace kpm
