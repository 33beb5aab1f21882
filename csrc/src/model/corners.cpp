#include "model/corners.hpp"

#include <algorithm>

namespace kpm {

int Corners::above_price(int first, int last, double value) const {
  const auto begin = price.begin();
  return static_cast<int>(std::upper_bound(begin + first, begin + last + 1, value) - begin);
}

int Corners::below_demand(int first, int last, double value) const {
  const auto begin = demand.begin();
  return static_cast<int>(std::upper_bound(begin + first, begin + last + 1, value,
                                           [](double v, double d) { return d < v; }) -
                          begin);
}

std::vector<Corners> find_corners(const ScaledMarket& market,
                                  const std::vector<Staircase>& stairs) {
  std::vector<Corners> result(static_cast<std::size_t>(market.claims()));
  for (int k = 0; k < market.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const Staircase& claim = stairs[static_cast<std::size_t>(market.original[at])];
    const std::size_t limits = claim.limit.size();
    Corners& corners = result[at];
    corners.price.reserve(2 * limits + 2);
    corners.demand.reserve(2 * limits + 2);
    const auto add = [&](double price, double demand) {
      corners.price.push_back(market.price(k, price));
      corners.demand.push_back(market.demand(k, demand));
    };
    add(claim.price_min, claim.demand[0]);
    for (std::size_t l = 0; l < limits; ++l) {
      add(claim.limit[l], claim.demand[l]);
      add(claim.limit[l], claim.demand[l + 1]);
    }
    add(claim.price_max, claim.demand[limits]);
  }
  return result;
}

Run whole(const std::vector<Corners>& corners) {
  Run run;
  for (const Corners& claim : corners) {
    run.first.push_back(0);
    run.last.push_back(claim.pieces() - 1);
  }
  return run;
}

}  // namespace kpm
