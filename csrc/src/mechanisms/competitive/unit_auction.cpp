#include "mechanisms/competitive/unit_auction.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

constexpr double kDwarfed = 1e-2;      // of the unit: trade below it is solved in finer ones
constexpr double kGiant = 1e3;         // times the least order
constexpr double kRoom = 4.0;          // what trades in the units chosen for it is a part of them
constexpr double kReach = 16.0;        // of these units: where demand is cut
constexpr double kLongestZoom = 1e-4;  // per zoom: demand is known to no more digits
constexpr double kShortestZoom = 0.3;  // one shorter than this is not worth a solution
constexpr double kLost = 1e-9;         // scaled money: with this gap the demand is unknown
constexpr double kTolerant = 1e-10;    // scaled money: a risk tolerance that rounding leaves prices
constexpr double kUnseen = 1e-18;      // scaled money: nothing that trades gains so little
constexpr double kNoWorse = 1.1;       // a gap that hardly differs says nothing of units
constexpr double kOnLimit = 1e-14;     // of the payoff range: a price this close is on its limit
constexpr int kZooms = 8;

/// The demand that a point leaves the maker, in the point's units.
double traded_at(const AuctionPoint& point) { return point.demand.abs().sum(); }

/// Whether the point is so far from proven that its demand may be any.
bool is_lost(const AuctionPoint& point) { return !(point.gap() <= kLost); }

/// The notional that trades at a point, money: orders with the maker and with each other.
double notional_of(const std::vector<Staircase>& stairs, const ScaledMarket& market,
                   const AuctionPoint& point) {
  double notional = market.scale * traded_at(point);
  for (int k = 0; k < market.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const Staircase& claim = stairs[static_cast<std::size_t>(market.original[at])];
    const auto l = static_cast<std::size_t>(point.piece[at] / 2);
    notional += claim.span() *
                (Staircase::is_step(point.piece[at])
                     ? claim.bought[l + 1] + claim.sold[l] + std::min(claim.buy[l], claim.sell[l])
                     : claim.bought[l] + claim.sold[l]);
  }
  return notional;
}

/// The least and the greatest quantity at one limit, in units of the whole book: infinity and zero
/// where there is no limit.
std::pair<double, double> heights_of(const std::vector<Staircase>& stairs,
                                     const ScaledMarket& whole) {
  double least = kInfinity;
  double most = 0.0;
  for (int k = 0; k < whole.claims(); ++k) {
    const Staircase& claim =
        stairs[static_cast<std::size_t>(whole.original[static_cast<std::size_t>(k)])];
    double low = kInfinity;
    double high = 0.0;
    for (std::size_t l = 0; l < claim.limit.size(); ++l) {
      low = std::min(low, claim.buy[l] + claim.sell[l]);
      high = std::max(high, claim.buy[l] + claim.sell[l]);
    }
    least = std::min(least, whole.demand(k, low));
    most = std::max(most, whole.demand(k, high));
  }
  return {least, most};
}

/// The least and the most that traders may want of a claim at a price that may be off by so much:
/// on a limit both ends of its step are best answers.
std::pair<double, double> wanted_at(const Ladder& ladder, double price, double off) {
  return {ladder.demand[static_cast<std::size_t>(ladder.rung(price + off))],
          ladder.demand[static_cast<std::size_t>(ladder.rung(price - off))]};
}

/// Whether at the maker's prices without trade nobody need trade with it: no unit shows more.
bool rests(const UnitAuction& in) {
  for (int k = 0; k < in.market.claims(); ++k) {
    const auto [least, most] =
        wanted_at(in.ladders[static_cast<std::size_t>(k)], in.idle.prices[k], kPricesAgree);
    if (least > 0.0 || most < 0.0) {
      return false;
    }
  }
  return true;
}

/// Whether little trades compared with the largest orders, or nothing is known, and this leaves
/// what trades no proof to the tolerance, or the largest orders are giants among the rest.
bool is_dwarfed(const std::vector<Staircase>& stairs, const ScaledMarket& whole,
                const UnitAuction& in, const AuctionPoint& point, double tolerance) {
  const ScaledMarket& market = in.market;
  if ((traded_at(point) > kDwarfed && !is_lost(point)) || whole.claims() == 0) {
    return false;
  }
  // Where nothing trades there is no notional to prove anything of: all but rounding is too much,
  // as that of what the maker has without trade is in any units.
  const double notional = notional_of(stairs, market, point);
  if (notional == 0.0 && rests(in)) {
    return false;
  }
  const double enough = notional > 0.0 ? tolerance * notional / market.scale : kUnseen;
  if (!(std::abs(point.gap()) <= std::max(enough, kGapRounding * std::abs(in.idle.worth)))) {
    return true;
  }
  const auto [least, most] = heights_of(stairs, whole);
  // Units of the smallest orders resolve everything: no need to look closer.
  return most > kGiant * least && market.scale > least * whole.scale;
}

/// Let a maker bear a little risk: of a more averse one the last digit of a loss decides the
/// prices. Its cost changes by that little, times the powers of e that its priors span. False if it
/// bears as much.
bool make_tolerant(ScaledMaker& maker) {
  const auto raise = [](double& tolerance) {
    const bool raised = tolerance < kTolerant;
    tolerance = std::max(tolerance, kTolerant);
    return raised;
  };
  switch (maker.kind) {
    case MakerKind::kPolytope: {
      double tolerance = 1.0 / maker.risk_aversion;
      const bool raised = raise(tolerance);
      maker.risk_aversion = raised ? 1.0 / tolerance : maker.risk_aversion;
      return raised;
    }
    case MakerKind::kUtility:
      return raise(maker.wealth);
    case MakerKind::kQuadratic:
      return raise(maker.curvature);
    default:
      return false;
  }
}

}  // namespace

UnitAuction::UnitAuction(const ScaledMarket& scaled, const MakerModel& model,
                         const std::vector<Staircase>& stairs, double most)
    : market(scaled),
      maker(model, market),
      function(make_function(market, maker, arena)),
      reach(most) {
  idle = find_idle(market, *function);
  ladders = find_ladders(market, stairs, idle.prices, reach);
}

SolvedAuction UnitAuction::solve(const std::vector<Staircase>& stairs,
                                 const AuctionSettings& settings, Checkpoint& checkpoint) {
  const FaceRule face =
      settings.rule == ConvexRule::kPdca ? FaceRule::kGreatestPayout : FaceRule::kLeastRegret;
  SolvedAuction solved =
      solve_auction(plain(checkpoint), stairs, idle, settings.max_iterations, face, *function);
  if (!is_lost(solved.point) || solved.stopped) {
    return solved;
  }
  ScaledMaker tolerant = maker;
  if (!make_tolerant(tolerant)) {
    return solved;
  }
  SolvedAuction other = solve_for(tolerant, stairs, settings, face, checkpoint);
  other.iterations += solved.iterations;
  if (other.stopped || !(other.point.gap() < solved.point.gap())) {
    solved.iterations = other.iterations;
    return solved;
  }
  return other;
}

/// The auction of a maker whose cost hardly differs, judged by this one's.
SolvedAuction UnitAuction::solve_for(const ScaledMaker& alike, const std::vector<Staircase>& stairs,
                                     const AuctionSettings& settings, FaceRule face,
                                     Checkpoint& checkpoint) {
  Arena memory;
  const std::unique_ptr<MakerFunction> cost = make_function(market, alike, memory);
  SolvedAuction solved =
      solve_auction({market, alike, ladders, checkpoint}, stairs, find_idle(market, *cost),
                    settings.max_iterations, face, *cost);
  plain(checkpoint).judge(*function, solved.point);
  return solved;
}

SolvedAuction UnitAuction::unsolved(const std::vector<Staircase>& stairs, Checkpoint& checkpoint) {
  SolvedAuction none;
  none.stopped = true;
  none.point = point_before_solving(plain(checkpoint), stairs, idle, *function);
  return none;
}

bool UnitAuction::contains(const AuctionPoint& point) const {
  for (int k = 0; k < market.claims(); ++k) {
    const double price = market.payoffs.row(k).dot(point.g.matrix());
    const auto [least, most] = wanted_at(ladders[static_cast<std::size_t>(k)], price, kOnLimit);
    const double wanted = std::max({least, -most, 0.0});  // of the best answers the nearest to none
    if (!(std::abs(point.demand[k]) < reach && wanted < reach)) {
      return false;
    }
  }
  return true;
}

ResolvedAuction resolve_auction(const ScaledMarket& whole, const MakerModel& model,
                                const std::vector<Staircase>& stairs,
                                const AuctionSettings& settings, bool begin,
                                Checkpoint& checkpoint) {
  ResolvedAuction best;
  best.in = std::make_unique<UnitAuction>(whole, model, stairs, kInfinity);
  SolvedAuction& solved = best.solved;
  solved =
      begin ? best.in->solve(stairs, settings, checkpoint) : best.in->unsolved(stairs, checkpoint);
  double share = 0.0;  // of the units so far; none chosen yet
  for (int zoom = 0; zoom < kZooms && !solved.stopped &&
                     is_dwarfed(stairs, whole, *best.in, solved.point, settings.tolerance);
       ++zoom) {
    const ScaledMarket& now = best.in->market;
    const double traded = is_lost(solved.point) ? 0.0 : traded_at(solved.point);
    share = share > 0.0 ? std::sqrt(share) : std::max(kRoom * traded, kLongestZoom);
    ScaledMarket closer = now;
    closer.scale *= share;
    closer.inventory /= share;
    closer.risk_aversion *= share;
    auto near = std::make_unique<UnitAuction>(closer, model, stairs, kReach);
    SolvedAuction found = near->solve(stairs, settings, checkpoint);
    found.iterations += solved.iterations;
    if (found.stopped) {
      solved.iterations = found.iterations;
      AuctionPoint first = best.in->unsolved(stairs, checkpoint).point;
      if (first.objective > solved.point.objective) {
        solved.point = std::move(first);
      }
      break;
    }
    const double gap = closer.scale * std::abs(found.point.gap());
    if (near->contains(found.point) &&
        gap <= now.scale * std::max(kGapRounding, kNoWorse * std::abs(solved.point.gap()))) {
      best = {std::move(near), std::move(found)};
      share = 0.0;
    } else {
      solved.iterations = found.iterations;
      if (share > kShortestZoom) {  // these units were too fine, and no others are left
        break;
      }
    }
  }
  return best;
}

}  // namespace kpm
