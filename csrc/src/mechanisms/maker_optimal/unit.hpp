// The unit of money that a book is searched in, from one search of a clearing to the next.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "book/canonical_order.hpp"
#include "book/staircase.hpp"
#include "kpm/kpm.hpp"
#include "mechanisms/maker_optimal/riskless_trade.hpp"
#include "mechanisms/maker_optimal/tradable_book.hpp"
#include "selection/selection.hpp"

namespace kpm {

/// Money is counted in units of what could trade in the book that is searched. A clearing begins
/// with the whole book. From there,
///   - a search in too large a unit asks for a smaller book (`by_search`), up to kUnits times;
///   - giants that are left after cutting are made small once (`rehearsal`), and demand is counted
///     from what they then trade (`rehearsed`);
///   - where what was cut turns out to matter, step_back() gives up the last of these, for good.
struct Unit {
  std::optional<TradableBook> book;  ///< a smaller one, if giants or a search have asked for it
  bool by_search = false;            ///< a search has
  CountedBook counted;     ///< the whole book as its demand is counted; empty: from nothing
  bool rehearsal = false;  ///< counted.stairs are those of giants made small
  bool rehearsed = false;  ///< they have been, or are not to be
  std::optional<Choice> of_rehearsal;  ///< in the units of that book

  /// The whole book, as its demand is counted.
  const std::vector<Staircase>& whole(const CanonicalBook& of) const {
    return counted.stairs.empty() ? of.stairs() : counted.stairs;
  }

  void count_from(std::optional<CountedBook>&& found) {
    counted = found ? std::move(*found) : CountedBook{};
    if (!counted.riskless.empty()) {
      book = std::move(counted.tradable);
    }
  }

  /// Of `clearing` and the one that made way for it, what is worth more where it is not proven.
  Clearing better(Clearing&& clearing) {
    if (!proven && coarser && coarser->certainty_equivalent > clearing.certainty_equivalent) {
      coarser->seconds_total = clearing.seconds_total;
      return std::move(*coarser);
    }
    return std::move(clearing);
  }

  /// What was searched has clearings that the whole book has not: search one that is cut less.
  void step_back(bool finer) {
    counted = CountedBook{};
    rehearsed = true;
    (finer ? no_finer : uncut) = true;
  }

  std::optional<Clearing> coarser;  ///< by a larger unit
  bool proven = false;              ///< the last clearing, by its search
  bool no_finer = false;            ///< no search may ask for a smaller book any more
  bool uncut = false;               ///< nor may giants
  int tried = 0;                    ///< searches since the book last changed its kind
  double seconds_compile = 0.0;
};

}  // namespace kpm
