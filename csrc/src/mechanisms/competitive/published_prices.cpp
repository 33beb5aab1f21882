#include <algorithm>
#include <cmath>
#include <cstddef>

#include "book/staircase.hpp"
#include "mechanisms/competitive/auction_program.hpp"
#include "mechanisms/competitive/polish.hpp"
#include "mechanisms/competitive/published.hpp"
#include "numerics/tolerances.hpp"
#include "selection/price_rule.hpp"

namespace kpm {

namespace {

struct Ranges {
  Array low, high;  // (claims) in scaled prices
};

Ranges ranges_of(const Auction& auction, const AuctionPoint& point) {
  const auto claims = static_cast<Eigen::Index>(auction.market.claims());
  Ranges ranges{Array::Zero(claims), Array::Ones(claims)};
  for (int k = 0; k < auction.market.claims(); ++k) {
    const int piece = point.piece[static_cast<std::size_t>(k)];
    const std::vector<double>& limit = auction.ladder(k).limit;
    const auto l = static_cast<std::size_t>(piece / 2);
    if (Staircase::is_step(piece)) {
      ranges.low[k] = ranges.high[k] = limit[l];
    } else {
      ranges.low[k] = l > 0 ? limit[l - 1] : 0.0;
      ranges.high[k] = l < limit.size() ? limit[l] : 1.0;
    }
  }
  return ranges;
}

/// Nearest to the prior among prices on the tied states: as if a claim on the others had to cost
/// nothing.
bool nearest(const Auction& auction, const std::vector<int>& tied, const Ranges& ranges,
             Array& prices) {
  const ScaledMarket& market = auction.market;
  const auto claims = static_cast<Eigen::Index>(market.claims());
  ScaledMarket extended = market;
  Array low = ranges.low;
  Array high = ranges.high;
  if (static_cast<int>(tied.size()) < market.states()) {
    extended.original.push_back(-1);
    extended.payoffs.conservativeResize(claims + 1, Eigen::NoChange);
    extended.payoffs.row(claims).setOnes();
    for (const int state : tied) {
      extended.payoffs(claims, state) = 0.0;
    }
    for (Array* array : {&extended.offset, &extended.span, &low, &high}) {
      array->conservativeResize(claims + 1);
    }
    extended.offset[claims] = 0.0;
    extended.span[claims] = 1.0;
    low[claims] = high[claims] = 0.0;
  }
  Arena arena;
  PriceRule projection(extended, arena);
  const Array nothing = Array::Zero(low.size());
  if (!projection.solve(low, high, nothing) || !projection.nearest()) {
    return false;
  }
  prices = projection.state_prices();
  return true;
}

/// The largest sum of logarithms of the tied states' prices: CPCAM on these states, with starting
/// orders in proportion to the prior and endless orders at both ends of every price range.
bool central(const Auction& auction, const std::vector<int>& tied, const Ranges& ranges,
             Array& prices) {
  const ScaledMarket& market = auction.market;
  const auto count = static_cast<Eigen::Index>(tied.size());
  const auto claims = static_cast<std::size_t>(market.claims());
  ScaledMarket part = market;
  part.payoffs = market.payoffs(Eigen::all, tied);
  part.prior = auction.maker.prior(tied);
  part.prior /= part.prior.sum();
  part.inventory = Array::Zero(count);
  part.kind = Ambiguity::kNone;
  ScaledMaker maker = auction.maker;
  maker.kind = MakerKind::kStartingOrders;
  maker.prior = part.prior;
  maker.total = 1.0;
  // A multiplier weighs what the prices move by, at most 1 / g: endless is more than that.
  for (double endless = 1e3; endless < 1e10; endless *= 1e3) {
    std::vector<Ladder> ladders(claims);
    Array middle(static_cast<Eigen::Index>(claims));
    for (std::size_t k = 0; k < claims; ++k) {
      const auto at = static_cast<Eigen::Index>(k);
      const double low = ranges.low[at];
      const double high = ranges.high[at];
      middle[at] = 0.5 * (low + high);
      Ladder& ladder = ladders[k];
      if (low < high) {
        ladder.limit = {low, high};
        ladder.demand = {endless, 0.0, -endless};
        ladder.value = {low * endless, 0.0, -high * endless};
        ladder.origin = 1;
      } else {
        ladder.limit = {low};
        ladder.demand = {endless, -endless};
        ladder.value = {low * endless, -low * endless};
      }
    }
    Arena arena;
    AuctionProgram program(part, maker, ladders, arena);
    MakerFunction function(part, maker, arena);
    program.load(middle);
    int iterations = 0;
    run_predictor_corrector(program, 1e-12, {0.01, 0.6, 0.1}, 200, iterations, [] {});
    const Auction search{part, maker, ladders};
    const AuctionPoint found = polish(search, program, function, {});
    const Array cost = (part.payoffs * found.g.matrix()).array();
    if ((cost >= ranges.low - kPriceTolerance).all() &&
        (cost <= ranges.high + kPriceTolerance).all()) {
      prices.setZero(market.states());
      for (Eigen::Index i = 0; i < count; ++i) {
        prices[tied[static_cast<std::size_t>(i)]] = found.g[i];
      }
      return true;
    }
  }
  return false;
}

}  // namespace

bool choose_prices(const Auction& auction, const std::vector<int>& tied, MakerFunction& function,
                   AuctionPoint& point) {
  if (tied.empty() || auction.maker.kind == MakerKind::kPolytope) {
    return true;
  }
  const Ranges ranges = ranges_of(auction, point);
  AuctionPoint chosen = point;
  const bool found = auction.maker.kind == MakerKind::kWorstState
                         ? central(auction, tied, ranges, chosen.g)
                         : nearest(auction, tied, ranges, chosen.g);
  if (!found) {
    return false;
  }
  chosen.p = chosen.g;
  auction.judge(function, chosen);
  if (!(chosen.gap() <= std::max(std::abs(point.gap()), 0.0) + 1e-12)) {
    return false;
  }
  point = chosen;
  return true;
}

}  // namespace kpm
