#include <algorithm>
#include <cmath>
#include <cstddef>

#include "book/staircase.hpp"
#include "mechanisms/competitive/published.hpp"
#include "numerics/arena.hpp"
#include "numerics/entropy.hpp"
#include "numerics/tolerances.hpp"
#include "prices/analytic_centre.hpp"
#include "prices/price_simplex.hpp"
#include "risk/ties.hpp"
#include "selection/price_rule.hpp"

namespace kpm {

namespace {

constexpr double kReached = 1e-13;    // nats: within the ball of priors, but for rounding
constexpr double kNoWeight = 1e-9;    // of a vertex: at most this is none
constexpr double kSurelySome = 1e-6;  // more than slack in the ranges leaves a vertex without any

struct Ranges {
  Array low, high;  // (claims) in scaled prices
};

Ranges ranges_of(const Auction& auction, const AuctionPoint& point) {
  const auto claims = static_cast<Eigen::Index>(auction.market.claims());
  Ranges ranges{Array::Zero(claims), Array::Ones(claims)};
  for (int k = 0; k < auction.market.claims(); ++k) {
    const int piece = point.piece[static_cast<std::size_t>(k)];
    const Figures& limit = auction.ladder(k).limit;
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

/// The functions that can have weight at all while claim prices keep to their ranges: each is given
/// as much as it can have unless another's most has shown that it can.
std::vector<int> weighable(const ScaledMarket& part, const Ranges& ranges, Checkpoint& checkpoint) {
  Arena arena;
  PriceSimplex simplex(part, arena, &checkpoint);
  for (int k = 0; k < part.claims(); ++k) {
    simplex.set_range(k, ranges.low[k], ranges.high[k]);
  }
  const Array by_claim = Array::Zero(part.claims());
  Array by_vertex = Array::Zero(part.states());
  Array most = by_vertex;
  for (int v = 0; v < part.states() && simplex.feasible(); ++v) {
    if (most[v] <= kNoWeight) {
      by_vertex.setZero();
      by_vertex[v] = 1.0;
      simplex.maximise(by_claim, by_vertex);
      for (int u = 0; u < part.states(); ++u) {
        most[u] = std::max(most[u], simplex.state_price(u));
      }
    }
  }
  std::vector<int> found;
  for (int v = 0; v < part.states(); ++v) {
    if (most[v] > kNoWeight) {
      found.push_back(v);
    }
  }
  return found;
}

/// The weights of vertices with such gradients: of the largest sum of logarithms over those that
/// can have any. Empty where double precision finds none.
Array weigh(const Auction& auction, const Matrix& gradient, const Ranges& ranges) {
  const Matrix values = auction.market.payoffs * gradient.transpose();
  const auto centre = [&](const Matrix& of, Array& weight) {
    const Eigen::Index c = of.cols();
    return find_analytic_centre(of, Array::Constant(c, 1.0 / static_cast<double>(c)), ranges.low,
                                ranges.high, weight, &auction.checkpoint);
  };
  Array weight;
  if (centre(values, weight) && weight.minCoeff() > kSurelySome) {
    return weight;
  }
  ScaledMarket part = auction.market;
  part.payoffs = values;
  part.prior = part.inventory = Array::Zero(values.cols());
  const std::vector<int> some = weighable(part, ranges, auction.checkpoint);
  Array of_some;
  if (!some.empty() && centre(values(Eigen::all, some), of_some)) {
    weight = spread(of_some, some, static_cast<int>(gradient.rows()));
  }
  return weight;
}

/// What `tied` and the vertices that cost as much but for rounding make of the prices by the rule.
/// False, and nothing changed, where that proves less than the point does.
bool mix_vertices(const Auction& auction, const Matrix& gradients, const Array& costs,
                  const std::vector<int>& tied, MakerFunction& function, AuctionPoint& point) {
  const ScaledMaker& maker = auction.maker;
  const Matrix gradient = gradients(tied, Eigen::all);
  const Array weight = weigh(auction, gradient, ranges_of(auction, point));
  if (weight.size() == 0) {
    return false;
  }
  AuctionPoint chosen = point;
  chosen.g = (gradient.transpose() * weight.matrix()).array();
  chosen.g /= chosen.g.sum();
  // The prior that the prices are tilted from: each vertex weighted by its utility.
  const Array cost = costs(tied);
  Array mixed = weight * (-maker.risk_aversion * (cost - cost.maxCoeff())).exp();
  mixed /= mixed.sum();
  const Matrix priors = maker.priors(tied, Eigen::all);
  chosen.p = (priors.transpose() * mixed.matrix()).array();
  chosen.p /= chosen.p.sum();
  auction.judge(function, chosen);
  // Of a very averse maker the gradients that demand gives have few digits, the prices found more.
  const double missed = std::max(missed_by(auction, point), kOffPiece);
  if (!(chosen.gap() <= std::abs(point.gap()) + kOfAProof &&
        missed_by(auction, chosen) <= missed)) {
    return false;
  }
  point = chosen;
  return true;
}

void choose_mixture(const Auction& auction, const std::vector<int>& tied, MakerFunction& function,
                    AuctionPoint& point) {
  const ScaledMaker& maker = auction.maker;
  const double a = maker.risk_aversion;
  const Array loss = auction.losses(point.demand);
  const Eigen::Index vertices = maker.priors.rows();
  Matrix gradients(vertices, loss.size());
  Array cost(vertices);
  for (Eigen::Index v = 0; v < vertices; ++v) {
    cost[v] = certainty_equivalent(maker, static_cast<int>(v), a, loss, gradients.row(v).data());
  }
  const double width = tie_width(loss);
  std::vector<int> all = tied;
  for (int v = 0; v < static_cast<int>(vertices); ++v) {
    if (cost.maxCoeff() - cost[v] <= width &&
        std::find(tied.begin(), tied.end(), v) == tied.end()) {
      all.push_back(v);
    }
  }
  std::sort(all.begin(), all.end());
  if (all.size() > 1 && !mix_vertices(auction, gradients, cost, all, function, point) &&
      all.size() > tied.size() && tied.size() > 1) {
    mix_vertices(auction, gradients, cost, tied, function, point);
  }
}

}  // namespace

bool choose_prices(const Auction& auction, const std::vector<int>& tied, MakerFunction& function,
                   AuctionPoint& point) {
  if (auction.maker.kind == MakerKind::kPolytope) {
    choose_mixture(auction, tied, function, point);
    return true;
  }
  if (tied.empty()) {
    return true;
  }
  const Ranges ranges = ranges_of(auction, point);
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
