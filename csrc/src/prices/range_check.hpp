// Whether any state prices reach given ranges of claim prices.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "book/corners.hpp"
#include "book/scaled_market.hpp"
#include "numerics/arena.hpp"
#include "numerics/tolerances.hpp"
#include "prices/nested_ranges.hpp"

namespace kpm {

/// A simplex method's feasible(), or sums where claims pay on nested or disjoint sets: the
/// prices of disjoint ones are not negative and add up to one, or to less if a state is left out.
template <class Simplex>
class RangeCheck {
 public:
  RangeCheck(const ScaledMarket& market, Arena& arena, Checkpoint* checkpoint)
      : market_(market), arena_(arena), checkpoint_(checkpoint) {
    if (market.nested.nested()) {
      nested_.emplace(market.nested, arena);
    } else if (sets().disjoint()) {
      low_ = arena.span<double>(market.claims());
      high_ = arena.span<double>(market.claims());
    }
  }

  /// Reset all ranges to [0, 1], once before the first question too; later answers do not depend on
  /// earlier ones.
  void reset() {
    if (nested_) {
      nested_->reset();
      return;
    }
    if (!sets().disjoint()) {
      if (!simplex_) {
        simplex_.emplace(market_, arena_, checkpoint_);
      }
      simplex_->reset();
      return;
    }
    std::fill(low_.begin(), low_.end(), 0.0);
    std::fill(high_.begin(), high_.end(), 1.0);
  }

  void set_range(int claim, double low, double high) {
    if (nested_) {
      nested_->set_range(claim, low, high);
      return;
    }
    if (simplex_) {
      simplex_->set_range(claim, low, high);
      return;
    }
    low_[claim] = low;
    high_[claim] = high;
  }
  /// Of the pieces from `first` to `last`.
  void set_range(int claim, const Corners& corners, int first, int last) {
    set_range(claim, corners.price[static_cast<std::size_t>(first)],
              corners.price[static_cast<std::size_t>(last) + 1]);
  }
  /// Of a cell: a piece of every claim.
  void set_ranges(const std::vector<Corners>& corners, const std::vector<int>& cell) {
    for (int k = 0; k < market_.claims(); ++k) {
      const auto at = static_cast<std::size_t>(k);
      set_range(k, corners[at], cell[at], cell[at]);
    }
  }

  bool feasible() {
    if (nested_) {
      return nested_->feasible();
    }
    if (simplex_) {
      return simplex_->feasible();
    }
    double least = 0.0;
    double most = 0.0;
    for (int k = 0; k < market_.claims(); ++k) {
      least += low_[k];
      most += high_[k];
    }
    const bool too_dear = least > 1.0 + kSimplexTolerance;
    const bool too_cheap = sets().covering() && most < 1.0 - kSimplexTolerance;
    farkas_ = too_dear ? -1.0 : 1.0;
    return !too_dear && !too_cheap;
  }

  // After feasible() said no: the claims' multipliers of a proof (Farkas), and their ranges.
  double farkas_multiplier(int claim) const {
    return simplex_  ? simplex_->farkas_multiplier(claim)
           : nested_ ? nested_->farkas_multiplier(claim)
                     : farkas_;
  }
  double range_low(int claim) const {
    return simplex_  ? simplex_->range_low(claim)
           : nested_ ? nested_->range_low(claim)
                     : low_[claim];
  }
  double range_high(int claim) const {
    return simplex_  ? simplex_->range_high(claim)
           : nested_ ? nested_->range_high(claim)
                     : high_[claim];
  }

 private:
  const DisjointClaims& sets() const { return market_.disjoint; }

  const ScaledMarket& market_;
  Arena& arena_;
  Checkpoint* checkpoint_;
  std::optional<Simplex> simplex_;  // many searches end before the first question
  std::optional<NestedRanges> nested_;
  Span<double> low_, high_;  // (claims)
  double farkas_ = 0.0;      // of every claim
};

}  // namespace kpm
