// The rules for input: what a market and its orders must satisfy for the core's promises to hold.
// The functions of kpm.hpp apply them before any work and throw InvalidInput; so does Python, which
// words its messages from the same codes.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "kpm/auction.hpp"
#include "kpm/kpm.hpp"
#include "kpm/makers.hpp"

namespace kpm {

/// Magnitudes of money, shares and risk aversion: far wider than any market, and narrow enough for
/// their products to stay numbers.
constexpr double kLargest = 1e30;
constexpr double kSmallest = 1e-30;
/// States less likely than this, and claims whose payoffs differ by less, are refused: squares of
/// such numbers leave the range of a double.
constexpr double kLeastPrior = 1e-200;
constexpr double kLeastSpan = 1e-50;
/// How far from one a prior may sum.
constexpr double kPriorTolerance = 1e-9;
/// More than anyone needs: a typing error must not start a million threads.
constexpr int kMostThreads = 1024;

/// Rules by number: (8), and then the convex ones in their order.
constexpr int kMakerOptimal = 0;
constexpr int number_of(ConvexRule rule) { return 1 + static_cast<int>(rule); }

enum class Field : std::uint8_t {
  kMarket,  ///< its number of claims or of states, next to those of an engine
  kPayoffs,
  kPrior,
  kInventory,
  kRiskAversion,
  kAmbiguity,
  kOrders,  ///< their number
  kClaim,
  kSide,
  kPrice,
  kQuantity,
  kTime,
  kCell,
  kOrderId,  ///< the fault's index is the id
  kSnapshot,
  kTolerance,
  kTimeLimit,
  kNodeLimit,
  kThreads,
  kMaker,  ///< its number of priors, or of states next to the market's
  kDelta,
  kPriors,
  kWealth,
  kCurvature,
  kLosses,
  kQuantities,
  kLimit,
  kRule,
  kStates,  ///< their number, of a market or a maker
  kClaims   ///< their number
};

enum class Rule : std::uint8_t {
  kNone,         ///< nothing is wrong
  kMissing,      ///< a null array
  kCount,        ///< states and claims: 1 to 2147483647; orders: not a negative number
  kNumber,       ///< not a NaN
  kFinite,       ///< neither infinite nor a NaN
  kMagnitude,    ///< within kLargest
  kSpan,         ///< a claim's payoffs: all equal, or at least kLeastSpan apart
  kPositive,     ///< greater than zero
  kLeast,        ///< at least kLeastPrior
  kSum,          ///< one within kPriorTolerance
  kNotNegative,  ///< zero or more
  kRange,        ///< between kSmallest and kLargest
  kZeroOrRange,  ///< zero, or between kSmallest and kLargest
  kIndex,        ///< of a claim of the market, or of a piece of its staircase
  kSide,         ///< +1 or -1
  kShare,        ///< between zero and one
  kUnknown,      ///< an order's id that is not in the book
  kDuplicate,    ///< an order's id that is in the book already
  kExceeds,      ///< no more than the order has
  kFull,         ///< orders or levels: no more than the engine's fixed limits
  kClaims,       ///< as many claims as the engine's market
  kStates,       ///< a maker: as many states as its market
  kOfKnightian,  ///< a rule that a Knightian maker has
  kOfStarting,   ///< a rule that a maker of starting orders has
  kConvex,       ///< a rule that every maker has
  kDamaged       ///< bytes that are not a snapshot
};

/// The first rule that is broken: of a market in the order of its fields, of orders column by
/// column.
struct Fault {
  Rule rule = Rule::kNone;
  Field field = Field::kMarket;
  std::int64_t index = -1;  ///< of the claim, the state or the order; -1: of none
  std::int64_t state = -1;  ///< second index, of a payoff
  double value = 0.0;       ///< the value that was given

  explicit operator bool() const { return rule != Rule::kNone; }
};

const char* name_of(Field field);

/// The rule that is broken in words, such as "must be greater than zero".
const char* rule_of(const Fault& fault);

/// A number in the fewest digits, of 15 to 17, that read back as it: 0.6, not 0.59999999999999998.
void write_shortest(double value, char (&text)[32]) noexcept;

/// The fault in words, such as "prior[2] must be greater than zero, got -0.1".
std::string describe(const Fault& fault);

/// A claim's payoffs alone, all that a staircase needs of a market.
Fault validate_payoffs(const Market& market);
Fault validate(const Market& market);
/// Single columns of orders.
Fault validate_prices(const double* price, std::int64_t count);
Fault validate_quantities(const double* quantity, std::int64_t count);
/// Orders for a market of so many claims.
Fault validate(const Orders& orders, int claims);
Fault validate(const Market& market, const Orders& orders);

/// Numbers of settings. clear() trusts its caller with them: check those from outside here.
Fault validate(const ClearSettings& settings);

/// The members that the maker's kind names.
Fault validate(const MakerModel& maker);
/// The claims and the inventory of a market, and its maker, whose numbers the others are.
Fault validate(const Market& market, const MakerModel& maker);
/// Whether the maker has a rule: kMakerOptimal, or number_of() a convex one.
Fault validate_rule(MakerKind maker, std::int64_t rule);
/// Rows of one finite number per state, such as a maker's losses and payoffs.
Fault validate_rows(Field field, const double* rows, std::int64_t count, int states);
/// Blocks to quote: (claims, sizes) shares.
Fault validate_blocks(const double* quantities, std::int64_t claims, std::int64_t sizes);

/// Thrown for input that breaks a rule; what() is describe(fault()).
class InvalidInput : public std::invalid_argument {
 public:
  explicit InvalidInput(const Fault& fault)
      : std::invalid_argument(describe(fault)), fault_(fault) {}

  const Fault& fault() const { return fault_; }

 private:
  Fault fault_;
};

/// Throws where there is a fault.
inline void require(const Fault& fault) {
  if (fault) {
    throw InvalidInput(fault);
  }
}

}  // namespace kpm
