// The product of the staircases, which the enumeration walks.
#pragma once

#include <vector>

#include "book/corners.hpp"
#include "book/scaled_market.hpp"
#include "book/staircase.hpp"

namespace kpm {

/// The corners of the claims' staircases, and how many cells there are.
struct CellGrid {
  CellGrid(const ScaledMarket& market, const std::vector<Staircase>& stairs);

  int claims() const { return static_cast<int>(corners.size()); }
  int pieces(int claim) const { return corners[static_cast<std::size_t>(claim)].pieces(); }
  /// Cells below a prefix of `level` claims.
  double cells_below(int level) const { return below[static_cast<std::size_t>(level)]; }

  const ScaledMarket& market;
  std::vector<Corners> corners;  ///< (claims)
  std::vector<double> below;     ///< (claims + 1)
};

}  // namespace kpm
