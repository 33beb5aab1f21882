// Whether any state prices reach given price ranges, claim after claim.
#pragma once

#include <vector>

#include "book/scaled_market.hpp"
#include "prices/price_simplex.hpp"

namespace kpm {

/// Used by the walk over cells: claims 0 .. level-1 have ranges, the others are free. Closed form
/// where the claims pay 0 or 1 on disjoint sets of states (Arrow-Debreu claims, the runners of a
/// race); the warm-started simplex otherwise.
class ReachablePrices {
 public:
  ReachablePrices(const ScaledMarket& market, Arena& arena, Checkpoint* checkpoint = nullptr);

  /// Forget all ranges; later answers do not depend on earlier ones.
  void reset();

  /// Give `claim` a range, after claims 0 .. claim-1 got theirs, freeing the later ones. False if
  /// no state prices reach all ranges.
  bool enter(int claim, double low, double high);

 private:
  const ScaledMarket& market_;
  int claims_;
  bool disjoint_ = false;
  bool covering_ = false;                   // the sets leave no state out: prices add up to one
  std::vector<double> low_sum_, high_sum_;  // (claims + 1) over the first claims
  PriceSimplex simplex_;
  int ranged_ = 0;
};

}  // namespace kpm
