// Ranges of the prices of claims that pay on disjoint sets of states.
#pragma once

#include "book/disjoint_claims.hpp"
#include "book/scaled_market.hpp"
#include "numerics/arena.hpp"

namespace kpm {

/// Those of a market, however few its claims; empty if they are not disjoint.
const DisjointClaims& disjoint_sets(const ScaledMarket& market);

/// Such prices are any that are not negative and add up to one, or to less where the sets leave a
/// state out: two sums tell whether state prices reach the ranges, and those that maximise revenue
/// raise the claims one after the other, those of the greatest weight first. A simplex method finds
/// the same by pivots.
class DisjointRanges {
 public:
  /// Of a market whose claims are disjoint.
  DisjointRanges(const ScaledMarket& market, Arena& arena);

  /// All ranges back to [0, 1]; once before the first question too.
  void reset();
  void set_range(int claim, double low, double high) {
    low_[claim] = low;
    high_[claim] = high;
  }
  double low(int claim) const { return low_[claim]; }
  double high(int claim) const { return high_[claim]; }

  /// Whether some state prices satisfy all ranges, to within kSimplexTolerance.
  bool feasible();
  /// After feasible() said no: every claim's multiplier of a proof (Farkas).
  double farkas_multiplier() const { return farkas_; }

  /// Maximise weight . pi over what is feasible. A claim's states share its price as the prior.
  void maximise(const ArrayView& weight, Slice& state_prices);
  /// Every claim's multiplier of pi_k = P_k xi at the last maximum, as in the dual bound.
  double multiplier() const { return multiplier_; }
  /// Whether there is no other: no price is within `margin` of where it would have to stop.
  bool unique_multipliers(double margin) const;

 private:
  int next(const ArrayView& weight) const;

  const ScaledMarket& market_;
  const DisjointClaims& sets_;
  Slice low_, high_, price_;  // (claims)
  Slice share_;               // (claims) of the prior
  Span<char> raised_;         // (claims)
  double free_share_ = 0.0;   // the prior of the states in which none pays
  double free_ = 0.0;         // their price
  int last_ = -1;             // the claim raised last; none where the free states take the rest
  double farkas_ = 0.0;
  double multiplier_ = 0.0;
};

}  // namespace kpm
