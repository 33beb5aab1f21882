#include "mechanisms/competitive/ladder.hpp"

#include <algorithm>
#include <cstddef>

namespace kpm {

int Ladder::rung(double price) const {
  return static_cast<int>(std::lower_bound(limit.begin(), limit.end(), price) - limit.begin());
}

std::vector<Ladder> find_ladders(const ScaledMarket& market, const std::vector<Staircase>& stairs,
                                 const ArrayView& prices) {
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
      ladder.demand[l] = market.demand(k, claim.demand[l]);
    }
    ladder.origin = ladder.rung(prices[k]);
    const auto origin = static_cast<std::size_t>(ladder.origin);
    for (std::size_t l = origin; l < limits; ++l) {
      // Heights of steps from the orders themselves: next to a giant their difference is lost.
      const double height = market.demand(k, claim.buy[l] + claim.sell[l]);
      ladder.value[l + 1] = ladder.value[l] - ladder.limit[l] * height;
    }
    for (std::size_t l = origin; l-- > 0;) {
      const double height = market.demand(k, claim.buy[l] + claim.sell[l]);
      ladder.value[l] = ladder.value[l + 1] + ladder.limit[l] * height;
    }
  }
  return result;
}

}  // namespace kpm
