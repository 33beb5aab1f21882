#include "mechanisms/competitive/ladder.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace kpm {

void Ladder::read(const ScaledMarket& market, int k, const Staircase& claim, double price,
                  double reach) {
  const std::size_t limits = claim.limit.size();
  limit = claim.limit;
  value.resize(limits + 1);
  if (market.offset[k] != 0.0 || market.span[k] != 1.0) {
    scaled_limits_.resize(limits);
    for (std::size_t l = 0; l < limits; ++l) {
      scaled_limits_[l] = market.price(k, claim.limit[l]);
    }
    limit = {scaled_limits_.data(), limits};
  }
  const double unit = market.demand(k, 1.0);
  demand = {claim.demand, unit, reach};
  const bool cuts = demand.is_cut();
  const auto height = [&](std::size_t l) {
    // The orders' sum, unless they are cut: beside a giant a difference has no digits.
    return cuts && (demand.is_cut(l) || demand.is_cut(l + 1))
               ? demand[l] - demand[l + 1]
               : (claim.buy[l] + claim.sell[l]) * unit;
  };
  origin = rung(price);
  const auto from = static_cast<std::size_t>(origin);
  double sum = value[from] = 0.0;
  for (std::size_t l = from; l < limits; ++l) {
    value[l + 1] = sum -= limit[l] * height(l);
  }
  sum = 0.0;
  for (std::size_t l = from; l-- > 0;) {
    value[l] = sum += limit[l] * height(l);
  }
}

int Ladder::rung(double price) const {
  return static_cast<int>(std::lower_bound(limit.begin(), limit.end(), price) - limit.begin());
}

std::vector<Ladder> find_ladders(const ScaledMarket& market, const std::vector<Staircase>& stairs,
                                 const ArrayView& prices, double reach) {
  std::vector<Ladder> result(static_cast<std::size_t>(market.claims()));
  for (int k = 0; k < market.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const Staircase& claim = stairs[static_cast<std::size_t>(market.original[at])];
    result[at].read(market, k, claim, prices[k], reach);
  }
  return result;
}

}  // namespace kpm
