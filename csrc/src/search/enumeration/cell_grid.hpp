// The product of the staircases, which the enumeration walks.
#pragma once

#include <vector>

#include "book/scaled_market.hpp"
#include "book/staircase.hpp"

namespace kpm {

/// Piece counts, corner prices and demands of the claims with orders, in scaled units.
struct CellGrid {
  CellGrid(const ScaledMarket& market, const std::vector<Staircase>& stairs);

  int claims() const { return static_cast<int>(pieces.size()); }
  /// Cells below a prefix of `level` claims.
  double cells_below(int level) const { return below[static_cast<std::size_t>(level)]; }

  const ScaledMarket& market;
  const std::vector<Staircase>& stairs;
  std::vector<std::vector<Piece>> pieces;  ///< (claims)(pieces), scaled
  std::vector<double> below;               ///< (claims + 1)
};

}  // namespace kpm
