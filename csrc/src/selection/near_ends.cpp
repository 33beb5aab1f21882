#include "selection/near_ends.hpp"

#include <cmath>
#include <utility>

#include "book/corners.hpp"
#include "numerics/near_ties.hpp"
#include "numerics/tolerances.hpp"
#include "risk/dual_bound.hpp"
#include "search/tree/tangent_bound.hpp"

namespace kpm {

std::vector<int> NearEnds::flats(const ChosenDemand& chosen) const {
  std::vector<int> flats;
  for (int k = 0; k < market_.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const int piece = chosen.cell[at];
    if (!Staircase::is_step(piece)) {
      continue;
    }
    const Piece step = claim(k).piece(piece);
    const double low = market_.demand(k, step.demand_low);
    const double high = market_.demand(k, step.demand_high);
    const double near = kNearEnd * (high - low);
    const bool at_high = chosen.demand[k] >= high - near;
    if (at_high || chosen.demand[k] <= low + near) {
      if (flats.empty()) {
        flats = chosen.cell;
      }
      flats[at] = at_high ? piece - 1 : piece + 1;
    }
  }
  return flats;
}

bool NearEnds::rules_out(const std::vector<int>& flats, const ChosenDemand& chosen,
                         const CellOptimum& optimum) const {
  // The cell of the flats as a book: one piece a claim.
  std::vector<Corners> corners(flats.size());
  for (int k = 0; k < market_.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const Piece piece = claim(k).piece(flats[at]);
    corners[at].price = {market_.price(k, piece.price_low), market_.price(k, piece.price_high)};
    corners[at].demand = {market_.demand(k, piece.demand_high),
                          market_.demand(k, piece.demand_low)};
  }
  Arena arena;
  TangentBound tangent(market_, corners, arena, &optimum);
  if (!tangent.support_inside(chosen.demand, optimum.marginal_state_prices, optimum.multipliers) &&
      !tangent.support(chosen.demand, optimum.multipliers)) {
    return false;
  }
  const Box cell = whole(corners);
  tangent.set_box(cell);
  const double most = tangent.bound(cell);
  for (int k = 0; k < market_.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    if (flats[at] != chosen.cell[at]) {
      const double off = std::abs(corners[at].demand[0] - chosen.demand[k]);
      if (most - tangent.rise(k, off) < optimum.objective - kNearTie) {
        return true;
      }
    }
  }
  return false;
}

bool NearEnds::is_meant(const std::vector<int>& flats, const std::vector<int>& cell,
                        const CellOptimum& solved, double value) const {
  if (solved.primal_residual > kPriceTolerance || solved.objective < value - kTie) {
    return false;
  }
  const Multipliers support =
      multipliers_of(market_, solved.worst_case, solved.marginal_state_prices, solved.multipliers,
                     solved.divergence);
  for (int k = 0; k < market_.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    if (flats[at] == cell[at]) {
      continue;
    }
    const Piece step = claim(k).piece(cell[at]);
    const double price = market_.price(k, step.price_low);
    double here = market_.demand(k, step.demand_low);
    double other = market_.demand(k, step.demand_high);
    if (flats[at] < cell[at]) {
      std::swap(here, other);
    }
    if (!(support.worth(k, price, here) - support.worth(k, price, other) >= kFirm)) {
      return false;
    }
  }
  return true;
}

}  // namespace kpm
