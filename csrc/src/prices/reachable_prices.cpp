#include "prices/reachable_prices.hpp"

#include "numerics/tolerances.hpp"
#include "prices/checked_simplex.hpp"

namespace kpm {

ReachablePrices::ReachablePrices(const ScaledMarket& market, Arena& arena, Checkpoint* checkpoint)
    : market_(market),
      claims_(market.claims()),
      low_sum_(static_cast<std::size_t>(market.claims()) + 1, 0.0),
      high_sum_(static_cast<std::size_t>(market.claims()) + 1, 0.0),
      simplex_(market, arena, checkpoint) {
  if (claims_ > 0) {
    const DisjointClaims sets(market.payoffs);
    disjoint_ = sets.disjoint();
    covering_ = sets.covering();
  }
}

void ReachablePrices::reset() {
  ranged_ = 0;
  if (!disjoint_) {
    simplex_.reset();
  }
}

bool ReachablePrices::enter(int claim, double low, double high) {
  if (disjoint_) {
    const auto at = static_cast<std::size_t>(claim);
    low_sum_[at + 1] = low_sum_[at] + low;
    high_sum_[at + 1] = high_sum_[at] + high;
    // A later claim, or a state in which no claim pays, can make the sum one.
    const bool complete = covering_ && claim + 1 == claims_;
    return low_sum_[at + 1] <= 1.0 + kSimplexTolerance &&
           (!complete || high_sum_[at + 1] >= 1.0 - kSimplexTolerance);
  }
  for (int later = claim + 1; later < ranged_; ++later) {
    simplex_.set_range(later, 0.0, 1.0);
  }
  ranged_ = claim + 1;
  simplex_.set_range(claim, low, high);
  // What the tableau cannot prove is left to the cell solver.
  return simplex_.feasible() || !(CheckedSimplex::separation(market_, simplex_) >
                                  separation_beyond_rounding(market_.claims()));
}

}  // namespace kpm
