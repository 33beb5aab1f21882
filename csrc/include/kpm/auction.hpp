// The convex rules: every maker of the family as the other side of a call auction.
#pragma once

#include <functional>

#include "kpm/kpm.hpp"
#include "kpm/makers.hpp"

namespace kpm {

enum class ConvexRule : std::uint8_t {
  kCompetitive,  ///< everybody trades at the maker's marginal state prices: CPCAM's rule
  kPayAsBid,     ///< the same fills, every order pays its limit: the objective of (5) and (6)
  kPdca          ///< competitive, with the greatest payout among fills that support the prices
};

struct AuctionSettings {
  ConvexRule rule = ConvexRule::kCompetitive;
  double tolerance = 1e-8;        ///< on the objective, relative to the notional that trades
  double time_limit = kInfinity;  ///< seconds
  int max_iterations = 200;
  Allocation allocation = Allocation::kProRata;
  /// Asked at the beginning, and then polled, by the calling thread: true ends the clearing.
  std::function<bool()> interrupted;
  Polls* polls = nullptr;  ///< null except in tests
};

/// A clearing by a convex rule. `clearing.certainty_equivalent` is -C of the maker's final losses;
/// `objective` is what the rules maximise over the fills,
///   sum of limits paid - C(claims paid - inventory),
/// where a limit beyond a claim's payoffs counts as the nearest payoff: the certainty equivalent
/// if every order paid its limit. `clearing.upper_bound` bounds the objective by duality, from
/// `clearing.state_prices` alone and in plain arithmetic.
struct AuctionClearing {
  Clearing clearing;
  double objective = -kInfinity;
};

/// The fills that maximise the objective, and prices that support them. Only the claims and the
/// inventory of `market` are read. They, the maker, the orders and the rule are validated before
/// any work (kpm/validation.hpp, InvalidInput); the caller is trusted with the other settings.
///
/// Where `time_limit` or `interrupted` ends it before the optimum is proven, the status is
/// kTimeLimit or kInterrupted: fills that obey every limit at prices that are not yet the maker's
/// marginal ones, and an upper bound that holds. The objective may be less than without trade.
AuctionClearing clear_auction(const Market& market, const MakerModel& maker, const Orders& orders,
                              const AuctionSettings& settings);

}  // namespace kpm
