// The corner points of the staircases: the vertices of boxes and of the bounds on them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "book/scaled_market.hpp"
#include "book/staircase.hpp"
#include "numerics/large_array.hpp"

namespace kpm {

/// Corners of one claim in scaled units, numbered along the staircase from the lowest price:
/// piece j joins corners j and j + 1. Prices never decrease and demands never increase.
struct Corners {
  LargeArray<double> price, demand;  ///< (pieces + 1)

  int pieces() const { return static_cast<int>(price.size()) - 1; }

  Piece piece(int index) const {
    const auto low = static_cast<std::size_t>(index);
    return {price[low], price[low + 1], demand[low + 1], demand[low]};
  }

  /// The first of the corners first .. last whose price exceeds `value`, else last + 1.
  int above_price(int first, int last, double value) const;
  /// The first of the corners first .. last whose demand lies below `value`, else last + 1.
  int below_demand(int first, int last, double value) const;

  /// The piece of first .. last at a price, or nearest to it; at a demand.
  int piece_at_price(int first, int last, double value) const {
    return std::clamp(above_price(first, last + 1, value) - 1, first, last);
  }
  int piece_at_demand(int first, int last, double value) const {
    return std::clamp(below_demand(first, last + 1, value) - 1, first, last);
  }
};

/// One claim after the other, those of the scaled market.
std::vector<Corners> find_corners(const ScaledMarket& market, const std::vector<Staircase>& stairs);

/// A run of consecutive pieces first .. last for each claim: a box in the product of staircases.
struct Box {
  std::vector<int> first, last;

  int claims() const { return static_cast<int>(first.size()); }
  bool is_cell() const { return first == last; }
};

Box whole(const std::vector<Corners>& corners);

}  // namespace kpm
