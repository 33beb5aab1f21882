// The convex sets the interior-point method optimises over.
#pragma once

#include <algorithm>
#include <vector>

#include "book/corners.hpp"
#include "book/scaled_market.hpp"
#include "book/staircase.hpp"
#include "numerics/arena.hpp"

namespace kpm {

struct Range {
  double low;
  double high;
};

/// One convex polygon per claim, given by its corners (price, demand): (pi_k, y_k, pi_k y_k) lies
/// in the hull of (price, demand, price * demand). A cell has two corners per claim, at one price
/// or at one demand, and the hull is then exact. Scaled units. Capacity is fixed at construction.
struct Hull {
  Hull(int claims, int max_corners, Arena& arena)
      : first(arena.span<int>(claims + 1)),
        price(arena.array(max_corners)),
        demand(arena.array(max_corners)) {}

  int claims() const { return static_cast<int>(first.size()) - 1; }

  Range price_range(int k) const { return range_of(price, k); }
  Range demand_range(int k) const { return range_of(demand, k); }

  Span<int> first;  ///< (claims + 1) corners of claim k: first[k] .. first[k + 1] - 1
  Slice price;      ///< (corners)
  Slice demand;     ///< (corners)

 private:
  Range range_of(const Slice& values, int k) const {
    Range range{values[first[k]], values[first[k]]};
    for (int c = first[k] + 1; c < first[k + 1]; ++c) {
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
    hull.first[k] = 2 * k;
    hull.price[2 * k] = piece.price_low;
    hull.price[2 * k + 1] = piece.price_high;
    hull.demand[2 * k] = piece.demand_low;
    hull.demand[2 * k + 1] = piece.demand_high;
  }
  hull.first[hull.claims()] = 2 * hull.claims();
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
