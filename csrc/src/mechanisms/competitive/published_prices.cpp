#include <algorithm>
#include <cmath>
#include <cstddef>

#include "book/staircase.hpp"
#include "mechanisms/competitive/published.hpp"
#include "numerics/arena.hpp"
#include "numerics/entropy.hpp"
#include "numerics/tolerances.hpp"
#include "prices/analytic_centre.hpp"
#include "selection/price_rule.hpp"

namespace kpm {

namespace {

constexpr double kReached = 1e-13;  // nats: within the ball of priors, but for rounding

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

/// Prices of all states from those of the tied ones; the others have none.
Array spread(const Array& some, const std::vector<int>& tied, int states) {
  Array prices = Array::Zero(states);
  for (std::size_t i = 0; i < tied.size(); ++i) {
    prices[tied[i]] = some[static_cast<Eigen::Index>(i)];
  }
  return prices;
}

/// Nearest to the prior among prices on the tied states.
bool nearest(const ScaledMarket& part, const Ranges& ranges, Checkpoint& checkpoint,
             Array& prices) {
  Arena arena;
  PriceRule projection(part, arena, &checkpoint);
  const Array nothing = Array::Zero(part.claims());
  if (!projection.solve(ranges.low, ranges.high, nothing) || !projection.nearest()) {
    return false;
  }
  prices = projection.state_prices() / projection.state_prices().sum();
  return true;
}

/// The mixture of the tied vertices' gradients whose weights have the largest sum of logarithms.
/// Where some vertex can have no weight at all, the prices stay.
void mix_vertices(const Auction& auction, const std::vector<int>& tied, const Ranges& ranges,
                  MakerFunction& function, AuctionPoint& point) {
  const ScaledMaker& maker = auction.maker;
  const auto c = static_cast<Eigen::Index>(tied.size());
  const double a = maker.risk_aversion;
  const Array loss = auction.losses(point.demand);
  Matrix gradient(c, loss.size());
  Array cost(c);
  for (Eigen::Index v = 0; v < c; ++v) {
    cost[v] = certainty_equivalent(maker, tied[static_cast<std::size_t>(v)], a, loss,
                                   gradient.row(v).data());
  }
  const Matrix values = auction.market.payoffs * gradient.transpose();
  Array weight;
  if (!find_analytic_centre(values, Array::Constant(c, 1.0 / static_cast<double>(c)), ranges.low,
                            ranges.high, weight, &auction.checkpoint)) {
    return;
  }
  AuctionPoint chosen = point;
  chosen.g = (gradient.transpose() * weight.matrix()).array();
  chosen.g /= chosen.g.sum();
  // The prior that the prices are tilted from: each vertex weighted by its utility.
  Array mixed = weight * (-a * (cost - cost.maxCoeff())).exp();
  mixed /= mixed.sum();
  chosen.p = (maker.priors(tied, Eigen::all).transpose() * mixed.matrix()).array();
  chosen.p /= chosen.p.sum();
  auction.judge(function, chosen);
  // Of a very averse maker the gradients that demand gives have few digits, the prices found more.
  const double missed = std::max(missed_by(auction, point), kOffPiece);
  if (chosen.gap() <= std::abs(point.gap()) + kOfAProof && missed_by(auction, chosen) <= missed) {
    point = chosen;
  }
}

}  // namespace

bool choose_prices(const Auction& auction, const std::vector<int>& tied, MakerFunction& function,
                   AuctionPoint& point) {
  if (tied.empty()) {
    return true;
  }
  const Ranges ranges = ranges_of(auction, point);
  if (auction.maker.kind == MakerKind::kPolytope) {
    mix_vertices(auction, tied, ranges, function, point);
    return true;
  }
  ScaledMarket part = auction.market;
  part.payoffs = auction.market.payoffs(Eigen::all, tied);
  part.inventory = auction.market.inventory(tied);
  part.find_structure();
  part.prior = auction.maker.prior(tied);
  part.prior /= part.prior.sum();
  Array some;
  const bool found = auction.maker.kind == MakerKind::kWorstState
                         ? find_analytic_centre(part.payoffs, part.prior, ranges.low, ranges.high,
                                                some, &auction.checkpoint)
                         : nearest(part, ranges, auction.checkpoint, some);
  if (!found) {
    return false;
  }
  AuctionPoint chosen = point;
  chosen.g = spread(some, tied, auction.market.states());
  if (auction.market.kind == Ambiguity::kBall && auction.maker.kind == MakerKind::kKnightian &&
      relative_entropy_of(chosen.g, auction.market.prior) > auction.market.ambiguity + kReached) {
    return false;  // the worst states alone have no such worst case: no kink
  }
  chosen.p = chosen.g;
  auction.judge(function, chosen);
  if (!(chosen.gap() <= std::abs(point.gap()) + kOfAProof)) {
    return false;
  }
  point = chosen;
  return true;
}

}  // namespace kpm
