#include "mechanisms/maker_optimal/cell_bound.hpp"

#include <algorithm>
#include <cstddef>

#include "numerics/entropy.hpp"

namespace kpm {

namespace {

/// Price of a corner in money: piece j joins corners j and j + 1, and limit l is the price of
/// corners 2 l + 1 and 2 l + 2.
double corner_price(const Staircase& claim, std::size_t corner) {
  if (corner == 0) {
    return claim.price_min;
  }
  const std::size_t limit = (corner - 1) / 2;
  return limit < claim.limit.size() ? claim.limit[limit] : claim.price_max;
}

}  // namespace

double cell_bound(const ScaledMarket& market, const std::vector<Staircase>& stairs,
                  const Choice& choice) {
  const Array& g = choice.marginal_state_prices;
  const Array& lambda = choice.multipliers;
  double worst = -kInfinity;
  for (Eigen::Index i = 0; i < market.prior.size(); ++i) {
    worst = std::max(worst, -market.payoffs.col(i).dot(lambda.matrix()));
  }
  double bound = (g * market.inventory).sum() + worst;
  if (market.kind != Ambiguity::kSimplex) {
    bound += relative_entropy_of(g, choice.worst_case) / market.risk_aversion;
  }
  for (int k = 0; k < market.claims(); ++k) {
    const int original = market.original[static_cast<std::size_t>(k)];
    const Staircase& claim = stairs[static_cast<std::size_t>(original)];
    const double value = market.payoffs.row(k).dot(g.matrix());
    const auto piece = static_cast<std::size_t>(choice.cell[static_cast<std::size_t>(k)]);
    double most = -kInfinity;
    for (const std::size_t corner : {piece, piece + 1}) {
      const double price = market.price(k, corner_price(claim, corner));
      const double demand = market.demand(k, claim.demand[corner / 2]);
      most = std::max(most, (price - value) * (demand + lambda[k]) + value * lambda[k]);
    }
    bound += most;
  }
  return bound;
}

}  // namespace kpm
