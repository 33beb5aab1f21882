#include "mechanisms/maker_optimal/cell_bound.hpp"

#include <algorithm>
#include <cstddef>

#include "numerics/entropy.hpp"

namespace kpm {

double corner_price(const Staircase& claim, std::size_t corner) {
  if (corner == 0) {
    return claim.price_min;
  }
  const std::size_t limit = (corner - 1) / 2;
  return limit < claim.limit.size() ? claim.limit[limit] : claim.price_max;
}

Multipliers support_of(const ScaledMarket& market, const Choice& choice) {
  const bool averse = market.kind != Ambiguity::kSimplex;
  const double nats =
      averse ? relative_entropy_of(choice.marginal_state_prices, choice.worst_case) : 0.0;
  return multipliers_of(market, choice.worst_case, choice.marginal_state_prices, choice.multipliers,
                        averse ? nats / market.risk_aversion : 0.0);
}

double cell_bound(const Multipliers& support, const ScaledMarket& market,
                  const std::vector<Staircase>& stairs, const Choice& choice) {
  double bound = support.constant;
  for (int k = 0; k < market.claims(); ++k) {
    const int original = market.original[static_cast<std::size_t>(k)];
    const Staircase& claim = stairs[static_cast<std::size_t>(original)];
    const auto piece = static_cast<std::size_t>(choice.cell[static_cast<std::size_t>(k)]);
    double most = -kInfinity;
    for (const std::size_t corner : {piece, piece + 1}) {
      const double price = market.price(k, corner_price(claim, corner));
      const double demand = market.demand(k, claim.demand[corner / 2]);
      most = std::max(most, support.worth(k, price, demand));
    }
    bound += most;
  }
  return bound;
}

}  // namespace kpm
