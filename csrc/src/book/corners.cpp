#include "book/corners.hpp"

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
    corners.price = LargeArray<double>(2 * limits + 2);
    corners.demand = LargeArray<double>(2 * limits + 2);
    double* const price = corners.price.data();
    double* const demand = corners.demand.data();
    // Neighbouring corners share a price or a demand: each is scaled once.
    price[0] = market.price(k, claim.price_min);
    for (std::size_t l = 0; l < limits; ++l) {
      price[2 * l + 1] = price[2 * l + 2] = market.price(k, claim.limit[l]);
    }
    price[2 * limits + 1] = market.price(k, claim.price_max);
    const double unit = market.demand(k, 1.0);
    for (std::size_t l = 0; l <= limits; ++l) {
      demand[2 * l] = demand[2 * l + 1] = claim.demand[l] * unit;
    }
  }
  return result;
}

Box whole(const std::vector<Corners>& corners) {
  Box box;
  box.first.assign(corners.size(), 0);
  box.last.reserve(corners.size());
  for (const Corners& claim : corners) {
    box.last.push_back(claim.pieces() - 1);
  }
  return box;
}

}  // namespace kpm
