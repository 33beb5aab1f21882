// The market as it is solved: only claims with orders, and only states that these distinguish.
#pragma once

#include <optional>
#include <vector>

#include "book/scaled_market.hpp"
#include "book/staircase.hpp"
#include "book/units.hpp"

namespace kpm {

/// Claims without orders are left out: the state prices determine their prices. States in which all
/// other claims pay the same, and the maker's inventory is the same, become one, whose prior
/// probability is the sum of theirs. Nothing is lost: only the sum of their prices matters, the
/// maker loses the same in all of them, and among distributions with a given total on them the one
/// that is divided in proportion to the prior is the closest to it.
class TradedMarket {
 public:
  TradedMarket(ScaledMarket full, const std::vector<Staircase>& stairs);

  const ScaledMarket& market() const { return traded_ ? *traded_ : full_; }

  /// One number a state of the full market: those of merged states shared as the prior is.
  Array restore(Array by_state) const;
  /// For an array that leaves this code.
  std::vector<double> published(const Array& by_state) const {
    return into_.empty() ? to_vector(by_state) : to_vector(restore(by_state));
  }

  /// And the other way: their sum. Nothing stays nothing.
  Array merge(Array by_state) const;

 private:
  void merge_states(const std::vector<int>& first);

  ScaledMarket full_;
  std::optional<ScaledMarket> traded_;  // if it is another
  std::vector<int> into_;               // (states of the full market) the merged one; empty: itself
};

}  // namespace kpm
