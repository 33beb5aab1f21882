// The market as it is solved: claims with orders, states that they tell apart.
#pragma once

#include <optional>
#include <vector>

#include "book/scaled_market.hpp"
#include "book/staircase.hpp"

namespace kpm {

/// Claims without orders are left out: the state prices price them. States in which all others pay
/// the same, and the maker owns the same, are one, whose prior probability is the sum of theirs.
/// Nothing is lost: prices enter by their sum, the maker loses the same in all of them, and of the
/// distributions that give them so much together the one that splits it as the prior does is the
/// closest to the prior.
class TradedMarket {
 public:
  TradedMarket(ScaledMarket full, const std::vector<Staircase>& stairs);

  const ScaledMarket& market() const { return traded_ ? *traded_ : full_; }

  /// One number a state of the full market: those of merged states shared as the prior is.
  Array restore(Array by_state) const;

  /// And the other way: their sum. Nothing stays nothing.
  Array merge(Array by_state) const;

 private:
  void keep_claims(const std::vector<int>& claims);
  void merge_states(const std::vector<int>& first);

  ScaledMarket full_;
  std::optional<ScaledMarket> traded_;  // if it is another
  std::vector<int> into_;               // (states of the full market) the merged one; empty: itself
};

}  // namespace kpm
