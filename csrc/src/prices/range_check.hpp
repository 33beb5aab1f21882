// Whether any state prices reach given ranges of claim prices.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "book/corners.hpp"
#include "book/scaled_market.hpp"
#include "numerics/arena.hpp"
#include "prices/disjoint_ranges.hpp"
#include "prices/nested_ranges.hpp"

namespace kpm {

/// A simplex method's feasible(), or sums where claims pay on disjoint or, many of them, on nested
/// sets of states. Made for the first question: many searches end before it.
template <class Simplex>
class RangeCheck {
 public:
  RangeCheck(const ScaledMarket& market, Arena& arena, Checkpoint* checkpoint)
      : market_(market), arena_(arena), checkpoint_(checkpoint) {}

  /// Reset all ranges to [0, 1], once before the first question too; later answers do not depend on
  /// earlier ones.
  void reset() {
    if (!nested_ && !sums_ && !simplex_) {
      if (market_.nested.nested()) {
        nested_.emplace(market_.nested, arena_);
      } else if (disjoint_sets(market_).disjoint()) {
        sums_.emplace(market_, arena_);
      } else {
        simplex_.emplace(market_, arena_, checkpoint_);
      }
    }
    if (nested_) {
      nested_->reset();
    } else if (sums_) {
      sums_->reset();
    } else if (simplex_) {
      simplex_->reset();
    }
  }

  void set_range(int claim, double low, double high) {
    if (nested_) {
      nested_->set_range(claim, low, high);
    } else if (sums_) {
      sums_->set_range(claim, low, high);
    } else if (simplex_) {
      simplex_->set_range(claim, low, high);
    }
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
    return nested_ ? nested_->feasible()
           : sums_ ? sums_->feasible()
                   : simplex_ && simplex_->feasible();
  }

  // After feasible() said no: the claims' multipliers of a proof (Farkas), and their ranges.
  double farkas_multiplier(int claim) const {
    return nested_    ? nested_->farkas_multiplier(claim)
           : sums_    ? sums_->farkas_multiplier()
           : simplex_ ? simplex_->farkas_multiplier(claim)
                      : 0.0;
  }
  double range_low(int claim) const {
    return nested_    ? nested_->range_low(claim)
           : sums_    ? sums_->low(claim)
           : simplex_ ? simplex_->range_low(claim)
                      : 0.0;
  }
  double range_high(int claim) const {
    return nested_    ? nested_->range_high(claim)
           : sums_    ? sums_->high(claim)
           : simplex_ ? simplex_->range_high(claim)
                      : 1.0;
  }

 private:
  const ScaledMarket& market_;
  Arena& arena_;
  Checkpoint* checkpoint_;
  std::optional<Simplex> simplex_;  // one of these
  std::optional<NestedRanges> nested_;
  std::optional<DisjointRanges> sums_;
};

}  // namespace kpm
