// The cells that a search begins with.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "book/corners.hpp"
#include "book/scaled_market.hpp"
#include "numerics/dense.hpp"

namespace kpm {

/// At most so many cells, which state prices reach: that of the prior's prices, then those of the
/// maker's marginal state prices in the cell before, until they repeat. `visit` solves a cell and
/// returns these, or null to end.
template <class Visit>
void visit_start_cells(const ScaledMarket& market, const std::vector<Corners>& corners, int most,
                       Visit&& visit) {
  Array prices = market.prior;
  std::vector<std::vector<int>> seen;
  seen.reserve(static_cast<std::size_t>(most));
  while (static_cast<int>(seen.size()) < most) {
    std::vector<int> cell(corners.size());
    for (std::size_t k = 0; k < cell.size(); ++k) {
      const double price = market.payoffs.row(static_cast<Eigen::Index>(k)).dot(prices.matrix());
      cell[k] = corners[k].piece_at_price(0, corners[k].pieces() - 1, price);
    }
    if (std::find(seen.begin(), seen.end(), cell) != seen.end()) {
      return;
    }
    seen.push_back(std::move(cell));
    const Slice* const marginal = visit(seen.back());
    if (marginal == nullptr) {
      return;
    }
    prices = *marginal;
  }
}

}  // namespace kpm
