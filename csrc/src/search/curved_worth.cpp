#include "search/curved_worth.hpp"

#include <algorithm>

#include "book/staircase.hpp"

namespace kpm {

namespace {

constexpr double kNoPrice = 1e-300;  // of ambiguity: at a kink, but for rounding

/// By how much the risk curves for a deviation of one; 0: nothing is known of that.
double bend_of(const ScaledMarket& market, double ambiguity_price) {
  if (!market.disjoint.disjoint() || market.kind == Ambiguity::kSimplex) {
    return 0.0;
  }
  if (market.kind == Ambiguity::kNone) {
    return market.risk_aversion;
  }
  return ambiguity_price > kNoPrice ? market.risk_aversion + 1.0 / ambiguity_price : 0.0;
}

}  // namespace

CurvedWorth::CurvedWorth(const ScaledMarket& market, const Multipliers& multipliers,
                         double ambiguity_price)
    : multipliers_(multipliers), bend_(bend_of(market, ambiguity_price)) {}

/// On a flat demand is given. On a step the price is, and the best demand is where its distance
/// from the claim's value balances the curvature.
double CurvedWorth::most(int claim, const Corners& corners, int piece, double from) const {
  const auto c = static_cast<std::size_t>(piece);
  const double bent = curvature(claim);
  if (Staircase::is_step(piece) && bent > 0.0) {
    const double price = corners.price[c];
    const double best = from + (price - multipliers_.value()[claim]) / bent;
    const double demand = std::clamp(best, corners.demand[c + 1], corners.demand[c]);
    return worth(claim, price, demand, from);
  }
  return std::max(worth(claim, corners.price[c], corners.demand[c], from),
                  worth(claim, corners.price[c + 1], corners.demand[c + 1], from));
}

}  // namespace kpm
