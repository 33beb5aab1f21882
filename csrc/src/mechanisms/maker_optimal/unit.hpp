// The unit of money that a book is searched in, from one search of a clearing to the next.
#pragma once

#include <algorithm>
#include <cstdint>
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
///   - giants that are left after cutting are made small once (`giants`), and demand is counted
///     from what they then trade;
///   - where what was cut turns out to matter, step_back() gives up the last of these, for good.
struct Unit {
  /// What is done about quantities that dwarf the rest. Never back to one above.
  enum class Giants : std::uint8_t {
    kCut,        ///< cut to what could trade of them; made small where that leaves them giants
    kRehearsal,  ///< made small, in counted.stairs: to show what they trade, by of_rehearsal
    kRehearsed,  ///< cut, but not made small any more
    kWhole       ///< neither
  };

  Giants giants = Giants::kCut;
  std::optional<TradableBook> book;  ///< a smaller one, if giants or a search have asked for it
  bool by_search = false;            ///< a search has
  bool finer = true;                 ///< one may ask
  CountedBook counted;  ///< the whole book as its demand is counted; empty: from nothing
  std::optional<Choice> of_rehearsal;  ///< in the units of that book
  std::optional<Clearing> coarser;     ///< by a larger unit
  bool proven = false;                 ///< the last clearing, by its search
  int tried = 0;                       ///< searches since the book last changed its kind
  double seconds_compile = 0.0;

  bool rehearsed() const { return giants >= Giants::kRehearsal; }

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

  /// Search giants made small next.
  void begin_rehearsal(std::vector<Staircase>&& small) {
    book.reset();
    counted.stairs = std::move(small);
    giants = Giants::kRehearsal;
    tried = 0;
  }

  /// From its choice, and the demand that it makes of the whole book's.
  void end_rehearsal(Choice&& choice, std::optional<CountedBook>&& found) {
    of_rehearsal = std::move(choice);
    giants = Giants::kRehearsed;
    tried = 0;
    count_from(std::move(found));
  }

  /// What was searched has clearings that the whole book has not: search one that is cut less.
  void step_back() {
    counted = CountedBook{};
    giants = std::max(giants, by_search ? Giants::kRehearsed : Giants::kWhole);
    finer = finer && !by_search;
  }

  /// Of `clearing` and the one that made way for it, what is worth more where it is not proven.
  Clearing better(Clearing&& clearing) {
    if (!proven && coarser && coarser->certainty_equivalent > clearing.certainty_equivalent) {
      coarser->seconds_total = clearing.seconds_total;
      return std::move(*coarser);
    }
    return std::move(clearing);
  }
};

}  // namespace kpm
