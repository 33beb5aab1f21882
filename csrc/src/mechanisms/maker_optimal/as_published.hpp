// The support recomputed from the published figures, as `Result.verify` does.
#pragma once

#include <vector>

#include "book/staircase.hpp"
#include "book/traded_market.hpp"
#include "kpm/kpm.hpp"
#include "selection/selection.hpp"

namespace kpm {

/// By the rule of `Result.verify`: worst case, marginal state prices and multipliers bound the
/// published cell by no more than the tolerance, and the rounding of what trades, above the
/// certainty equivalent. Quantities that stand in the book without trading excuse nothing, but
/// their rounding is in the bound of a step that they are on.
class AsPublished {
 public:
  /// `riskless` is what demand is counted from, or empty; `paid` the most that all that trades
  /// could have to pay, money.
  AsPublished(const Market& market, const std::vector<Staircase>& whole,
              const std::vector<double>& riskless, double paid, double tolerance)
      : market_(market), whole_(whole), riskless_(riskless), paid_(paid), tolerance_(tolerance) {}

  bool proves(const Clearing& clearing) const { return excess(clearing) <= allowed(clearing); }

 private:
  double excess(const Clearing& clearing) const;
  double allowed(const Clearing& clearing) const;

  const Market& market_;
  const std::vector<Staircase>& whole_;
  const std::vector<double>& riskless_;
  double paid_;
  double tolerance_;
};

/// The choice, and its clearing, with the worst case of the published payoff as their support. The
/// search's is that of the cell's solution, to the search's own digits.
Choice with_own_support(const Market& market, const TradedMarket& traded, Choice choice,
                        Clearing& clearing);

}  // namespace kpm
