// The book before huge quantities were cut, for proofs that must hold for it.
#pragma once

#include <vector>

#include "book/corners.hpp"
#include "book/presolve.hpp"
#include "book/scaled_market.hpp"
#include "book/staircase.hpp"
#include "mechanisms/maker_optimal/tradable_book.hpp"

namespace kpm {

/// The book before it was cut, and multipliers for it. Those of the cut book may value a claim at
/// the very limit of what was cut, or beyond by rounding, which times a vast quantity is much. A
/// small share of the (g, p) of the cut is mixed in, so that all of it lies outside; where giants
/// meet, of those beside their limit, until it is the claim's value.
class WholeBook {
 public:
  WholeBook(const ScaledMarket& market, const std::vector<Staircase>& stairs,
            const TradableBook& tradable);

  /// The presolved book, limits apart; boxes are those of `Presolve::box_apart`.
  WholeBook(const Presolve& book, const ScaledMarket& full, const std::vector<Staircase>& stairs,
            const TradableBook& tradable);

  const std::vector<Corners>& corners() const { return corners_; }

  /// The box in parts: the last needs no mixture with g, each of the others for one claim's sake.
  std::vector<Box> parts(const Box& box, const Array& marginal) const;

  /// Make p, g (summing to one) and lambda bound the box of the whole book.
  void support(const Box& box, Array& worst_case, Array& marginal, Array& lambda) const;

 private:
  double share(const Box& box, const Array& marginal) const;

  /// Some (g, p), to be mixed in.
  struct Mixture {
    const Array& state_prices;
    const Array& worst_case;
  };

  /// A limit of claim k on which giants meet.
  struct Met {
    int claim;
    int place;  // among its limits
    Mixture above, below;
  };

  /// Look for limits of a caller's claim, cut from `whole`, and where they are among those of claim
  /// k: at `places` from the lowest price on, the complement's from its highest; empty: as they
  /// are.
  void note(std::size_t k, int source, const std::vector<Staircase>& whole, bool complement,
            const std::vector<int>& places);

  /// The highest limit at which bids were cut, the lowest at which offers were; -1 if none was.
  struct CutLimits {
    int bids = -1;
    int offers = -1;
  };

  const ScaledMarket& market_;
  const TradableBook& tradable_;
  std::vector<Corners> corners_;
  std::vector<CutLimits> limits_;  // (claims)
  std::vector<Met> met_;
};

}  // namespace kpm
