#include "mechanisms/competitive/ladder.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace kpm {

int Ladder::rung(double price) const {
  return static_cast<int>(std::lower_bound(limit.begin(), limit.end(), price) - limit.begin());
}

std::vector<Ladder> find_ladders(const ScaledMarket& market, const std::vector<Staircase>& stairs,
                                 const ArrayView& prices, double reach) {
  std::vector<Ladder> result(static_cast<std::size_t>(market.claims()));
  for (int k = 0; k < market.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const Staircase& claim = stairs[static_cast<std::size_t>(market.original[at])];
    const std::size_t limits = claim.limit.size();
    Ladder& ladder = result[at];
    ladder.limit.resize(limits);
    ladder.demand.resize(limits + 1);
    ladder.value.resize(limits + 1);
    for (std::size_t l = 0; l < limits; ++l) {
      ladder.limit[l] = market.price(k, claim.limit[l]);
    }
    for (std::size_t l = 0; l <= limits; ++l) {
      ladder.demand[l] = std::clamp(market.demand(k, claim.demand[l]), -reach, reach);
    }
    ladder.origin = ladder.rung(prices[k]);
    const auto origin = static_cast<std::size_t>(ladder.origin);
    const auto height = [&](std::size_t l) {
      // The orders' sum, unless they are cut: beside a giant a difference has no digits.
      const bool cut =
          std::abs(ladder.demand[l]) >= reach || std::abs(ladder.demand[l + 1]) >= reach;
      return cut ? ladder.demand[l] - ladder.demand[l + 1]
                 : market.demand(k, claim.buy[l] + claim.sell[l]);
    };
    for (std::size_t l = origin; l < limits; ++l) {
      ladder.value[l + 1] = ladder.value[l] - ladder.limit[l] * height(l);
    }
    for (std::size_t l = origin; l-- > 0;) {
      ladder.value[l] = ladder.value[l + 1] + ladder.limit[l] * height(l);
    }
  }
  return result;
}

}  // namespace kpm
