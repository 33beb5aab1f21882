// A claim's demand as the traders' value of it: what the convex rules maximise.
#pragma once

#include <vector>

#include "book/scaled_market.hpp"
#include "book/staircase.hpp"

namespace kpm {

/// The rungs of one claim in scaled units: between limits, net demand is one of demand[0 .. n],
/// which never increases, and value[l] is what the traders bid for the claim's net demand at rung
/// l: concave in the demand with slope limit[l] between rungs l + 1 and l. Its constant is such
/// that orders which every price fills are worth nothing and the first rung's bids all they bid,
/// but counted from a rung in the middle: a giant far from the prices must not cost its digits.
struct Ladder {
  std::vector<double> limit;   ///< (n)
  std::vector<double> demand;  ///< (n + 1)
  std::vector<double> value;   ///< (n + 1), less value at rung `origin`
  int origin = 0;

  int rungs() const { return static_cast<int>(demand.size()); }
  /// The rung of a price: the demand of prices just above the limits below it.
  int rung(double price) const;
};

/// One claim after the other, those of the scaled market, counted from the rungs at `prices`. No
/// demand is larger than `reach`: orders beyond it are cut short.
std::vector<Ladder> find_ladders(const ScaledMarket& market, const std::vector<Staircase>& stairs,
                                 const ArrayView& prices, double reach);

}  // namespace kpm
