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
///   - giants that are left after cutting are scaled down for one trial clearing (`giants`), and
///     demand is counted from what they trade in it;
///   - where what was cut turns out to matter, step_back() gives up the last of these, for good.
struct Unit {
  /// What is done about quantities that dwarf the rest. Never back to one above.
  enum class Giants : std::uint8_t {
    kCut,         ///< cut to what could trade of them; a trial where that leaves them giants
    kScaledDown,  ///< scaled down, in counted.stairs: a trial of what they trade
    kTrialDone,   ///< cut, without another trial
    kWhole        ///< neither
  };

  Giants giants = Giants::kCut;
  std::optional<TradableBook> book;  ///< a smaller one, if giants or a search have asked for it
  bool by_search = false;            ///< a search has
  bool finer = true;                 ///< one may ask
  CountedBook counted;          ///< the whole book as its demand is counted; empty: from nothing
  std::optional<Choice> trial;  ///< what the trial chose, in its units
  std::optional<Clearing> coarser;  ///< by a larger unit
  bool proven = false;              ///< the last clearing, by its search
  int tried = 0;                    ///< searches since the book last changed its kind
  double seconds_compile = 0.0;

  bool had_trial() const { return giants >= Giants::kScaledDown; }

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

  /// Search the book with giants scaled down next.
  void begin_trial(std::vector<Staircase>&& small) {
    book.reset();
    counted.stairs = std::move(small);
    giants = Giants::kScaledDown;
    tried = 0;
  }

  /// `found`: the book with its demand counted from what the trial's choice trades in it.
  void end_trial(Choice&& choice, std::optional<CountedBook>&& found) {
    trial = std::move(choice);
    giants = Giants::kTrialDone;
    tried = 0;
    count_from(std::move(found));
  }

  /// What was searched has clearings that the whole book has not: search one that is cut less.
  void step_back() {
    counted = CountedBook{};
    giants = std::max(giants, by_search ? Giants::kTrialDone : Giants::kWhole);
    finer = finer && !by_search;
  }

  /// `clearing`, or that of a larger unit if it is worth more and `clearing` is not proven.
  Clearing better(Clearing&& clearing) {
    if (!proven && coarser && coarser->certainty_equivalent > clearing.certainty_equivalent) {
      coarser->seconds_total = clearing.seconds_total;
      return std::move(*coarser);
    }
    return std::move(clearing);
  }
};

}  // namespace kpm
