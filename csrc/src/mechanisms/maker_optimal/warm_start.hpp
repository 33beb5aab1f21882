// What an engine keeps of a clearing, to prove the next one without a search.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "book/canonical_order.hpp"
#include "book/corners.hpp"
#include "book/presolve.hpp"
#include "book/scaled_market.hpp"
#include "kpm/kpm.hpp"
#include "mechanisms/maker_optimal/book_search.hpp"
#include "numerics/stop_token.hpp"
#include "risk/dual_bound.hpp"
#include "selection/selection.hpp"

namespace kpm {

/// The cell of the last clearing, by limits. Solved again in the next book, its own support may
/// bound every clearing of it: then nothing is left to search, and if no other clearing is worth
/// nearly as much a search must come to this one. docs/engine.md has the proof.
class WarmStart {
 public:
  /// `nodes`: the node limit that clearings always have, or 0.
  WarmStart(int claims, std::int64_t nodes)
      : places_(static_cast<std::size_t>(claims)), nodes_(nodes) {}

  /// Its memory.
  static std::uint64_t bytes(int claims) {
    return static_cast<std::uint64_t>(claims) * sizeof(Place);
  }

  /// Whether a clearing by these settings may be one without a search.
  bool allowed(const ClearSettings& settings) const;

  /// Whether to try: there is a cell, the last search took long, and recent attempts succeeded.
  bool wants_to_try();

  void forget() { known_ = false; }

  /// The attempt was in vain: rest for a while, the longer the more often that was so.
  void fail();

  /// The attempt was not.
  void succeed() {
    ++proved_;
    failures_ = 0;
  }

  /// How many clearings were made without a search.
  std::int64_t proved() const { return proved_; }

  /// Keep the cell of a clearing; `prices` of the book's claims, money.
  void keep(const CanonicalBook& book, const ScaledMarket& market, const Choice& choice,
            const std::vector<double>& prices);

  /// The last search solved so many cells.
  void note_cells(std::int64_t solved) { cells_ = solved; }

  /// The cell kept, in another book; empty where other claims trade.
  std::optional<std::vector<int>> cell(const CanonicalBook& book, const ScaledMarket& market,
                                       const std::vector<Corners>& corners) const;

 private:
  struct Place {
    bool known = false;
    bool step = false;
    double price = 0.0;  // money: the limit of a step, and inside of a flat, next to its own price
  };

  std::vector<Place> places_;  // (claims) by the caller's index
  std::int64_t nodes_;
  bool known_ = false;
  std::int64_t cells_ = 0;
  std::int64_t proved_ = 0;
  int failures_ = 0;
  int rest_ = 0;  // clearings
};

/// What the last clearing leads to; `coarse` if that proves nothing, and `presolved`, of the
/// market, is as before.
Found resume(const CanonicalBook& book, const ScaledMarket& market, Presolve& presolved,
             const ClearSettings& settings, const WarmStart& warm, StopToken& token);

/// Whether no clearing but the choice is worth as much, within kNearTie: the steps beside its flats
/// lose firmly, and the risk curves so much that demand inside steps stays inside. `bound` is that
/// of the choice's own support on the whole book.
bool is_alone(const ScaledMarket& market, const std::vector<Corners>& corners, const Choice& choice,
              const Multipliers& support, double bound);

}  // namespace kpm
