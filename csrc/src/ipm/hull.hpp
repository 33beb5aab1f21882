// The convex sets the interior-point method optimises over.
#pragma once

#include <algorithm>
#include <vector>

#include "model/corners.hpp"
#include "model/scaled_market.hpp"
#include "model/staircase.hpp"
#include "numerics/dense.hpp"

namespace kpm {

struct Range {
  double low;
  double high;
};

/// One convex polygon per claim, given by its corners (price, demand): (pi_k, y_k, pi_k y_k) lies
/// in the hull of (price, demand, price * demand). A cell has two corners a claim, at one price or
/// at one demand, and the hull is then exact. Scaled units. Capacity is fixed at construction.
struct Hull {
  Hull(int claims, int max_corners)
      : first(static_cast<std::size_t>(claims) + 1, 0), price(max_corners), demand(max_corners) {}

  int claims() const { return static_cast<int>(first.size()) - 1; }
  int corners() const { return first.back(); }

  Range price_range(int k) const { return range_of(price, k); }
  Range demand_range(int k) const { return range_of(demand, k); }

  std::vector<int> first;  ///< (claims + 1) corners of claim k: first[k] .. first[k + 1] - 1
  Array price;             ///< (corners)
  Array demand;            ///< (corners)

 private:
  Range range_of(const Array& values, int k) const {
    const auto at = static_cast<std::size_t>(k);
    Range range{values[first[at]], values[first[at]]};
    for (int c = first[at] + 1; c < first[at + 1]; ++c) {
      range.low = std::min(range.low, values[c]);
      range.high = std::max(range.high, values[c]);
    }
    return range;
  }
};

/// The two corners of each claim's piece; `piece_of(k)` in scaled units.
template <class PieceOf>
void set_pieces(Hull& hull, PieceOf&& piece_of) {
  for (int k = 0; k < hull.claims(); ++k) {
    const Piece piece = piece_of(k);
    hull.first[static_cast<std::size_t>(k)] = 2 * k;
    hull.price[2 * k] = piece.price_low;
    hull.price[2 * k + 1] = piece.price_high;
    hull.demand[2 * k] = piece.demand_low;
    hull.demand[2 * k + 1] = piece.demand_high;
  }
  hull.first.back() = 2 * hull.claims();
}

inline void set_cell(Hull& hull, const ScaledMarket& market, const std::vector<Staircase>& stairs,
                     const int* cell) {
  set_pieces(hull, [&](int k) {
    const auto source = static_cast<std::size_t>(market.original[static_cast<std::size_t>(k)]);
    const Piece piece = stairs[source].piece(cell[k]);
    return Piece{market.price(k, piece.price_low), market.price(k, piece.price_high),
                 market.demand(k, piece.demand_low), market.demand(k, piece.demand_high)};
  });
}

inline void set_cell(Hull& hull, const std::vector<Corners>& corners,
                     const std::vector<int>& cell) {
  set_pieces(hull, [&](int k) {
    const auto at = static_cast<std::size_t>(k);
    return corners[at].piece(cell[at]);
  });
}

}  // namespace kpm
