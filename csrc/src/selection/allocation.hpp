// From a cell and its net demand to the fill of every order.
#pragma once

#include <vector>

#include "book/staircase.hpp"
#include "kpm/kpm.hpp"

namespace kpm {

/// What trades at a step's limit: as much as possible given the net demand there.
struct Matched {
  double bought = 0.0;
  double sold = 0.0;
};

inline Matched match_at_limit(double bids, double offers, double net) {
  const double bought = net > bids - offers ? bids : offers + net;
  const double clipped = bought < 0.0 ? 0.0 : bought > bids ? bids : bought;
  const double sold = clipped - net;
  return {clipped, sold < 0.0 ? 0.0 : sold > offers ? offers : sold};
}

/// Fills of all orders, limit order logic (E1)-(E3): strictly inside the limit in full, strictly
/// outside not at all, both exactly; at a step's limit what `net` leaves, shared pro rata or by
/// time. `net[k]` is claim k's demand at its limit, bids minus offers filled; unused on flats. The
/// orders' claim k is number `places[k]` of the staircases, of `cell` and of `net`.
std::vector<double> allocate(const Orders& orders, const std::vector<int>& places,
                             const std::vector<Staircase>& stairs,
                             const std::vector<std::int64_t>& cell, const std::vector<double>& net,
                             Allocation allocation);

}  // namespace kpm
