// Compile the book once, solve, choose what is published, translate back once.
#include "kpm/auction.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include "book/units.hpp"
#include "kpm/validation.hpp"
#include "mechanisms/competitive/clear_compiled_auction.hpp"
#include "mechanisms/competitive/solve_auction.hpp"
#include "mechanisms/limits.hpp"
#include "mechanisms/maker_optimal/levels.hpp"
#include "mechanisms/maker_optimal/publication.hpp"
#include "numerics/tolerances.hpp"
#include "selection/allocation.hpp"

namespace kpm {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

constexpr double kDwarfed = 1e-2;      // of the scale: trade below it is solved in finer units
constexpr double kGiant = 1e3;         // times the least order
constexpr double kRoom = 4.0;          // what trades in the units chosen for it is a part of them
constexpr double kReach = 16.0;        // of these units: where demand is cut
constexpr double kLongestZoom = 1e-4;  // per zoom: demand is known to no more digits
constexpr double kLost = 1e-9;         // scaled money: with this gap the demand is unknown
constexpr double kShortestZoom = 0.3;  // ... and one shorter than this is not worth a solution
constexpr double kNoWorse = 1.1;       // a gap that hardly differs says nothing of units
constexpr int kZooms = 8;
constexpr double kOnLimit = 1e-14;  // of the payoff range: a price this close is on its limit

/// What the orders of one claim pay by their limits, summed along its staircase: the same for any
/// sequence of the orders.
double paid_at_limits(const Staircase& claim, int piece, double net_demand) {
  const auto l = static_cast<std::size_t>(piece / 2);
  double paid =
      claim.bought[claim.limit.size()] * claim.price_max - claim.sold[0] * claim.price_min;
  const std::size_t first_bought = Staircase::is_step(piece) ? l + 1 : l;
  for (std::size_t m = first_bought; m < claim.limit.size(); ++m) {
    paid += claim.limit[m] * claim.buy[m];
  }
  for (std::size_t m = 0; m < l; ++m) {
    paid -= claim.limit[m] * claim.sell[m];
  }
  if (Staircase::is_step(piece)) {
    paid += claim.limit[l] * (net_demand - (claim.bought[l + 1] - claim.sold[l]));
  }
  return paid;
}

/// Whether the published state prices make the published claim prices.
bool consistent(const Market& market, const Clearing& clearing) {
  constexpr double kEps = 2.220446049250313e-16;
  for (int k = 0; k < market.claims; ++k) {
    const double* const row = market.payoffs + static_cast<std::ptrdiff_t>(k) * market.states;
    const auto [low, high] = std::minmax_element(row, row + market.states);
    const double largest = std::max(std::abs(*low), std::abs(*high));
    const double slack = 1e-12 * (*high - *low) + 8 * kEps * largest;
    const auto at = static_cast<std::size_t>(k);
    const double above = above_least(market, at, *low, clearing.state_prices);
    if (!(std::abs(above - (clearing.claim_prices[at] - *low)) <= slack)) {
      return false;
    }
  }
  return true;
}

/// The auction in one choice of units, with orders cut at `reach`.
struct AtScale {
  AtScale(const ScaledMarket& scaled, const MakerModel& model, const std::vector<Staircase>& stairs,
          double most)
      : market(scaled),
        maker(model, market),
        cost(make_function(market, maker, arena)),
        function(*cost),
        reach(most) {
    idle = find_idle(market, function);
    ladders = find_ladders(market, stairs, idle.prices, reach);
  }
  AtScale(const AtScale&) = delete;
  AtScale& operator=(const AtScale&) = delete;

  SolvedAuction solve(const std::vector<Staircase>& stairs, const AuctionSettings& settings,
                      Checkpoint& checkpoint) {
    const FaceRule face =
        settings.rule == ConvexRule::kPdca ? FaceRule::kGreatestPayout : FaceRule::kLeastRegret;
    return solve_auction({market, maker, ladders, checkpoint}, stairs, idle,
                         settings.max_iterations, face, function);
  }

  AuctionPoint before_solving(const std::vector<Staircase>& stairs, Checkpoint& checkpoint) {
    return point_before_solving({market, maker, ladders, checkpoint}, stairs, idle, function);
  }

  /// Whether neither the point nor the best answer to its prices touches where orders were cut.
  bool is_within(const AuctionPoint& point) const {
    for (int k = 0; k < market.claims(); ++k) {
      const Ladder& ladder = ladders[static_cast<std::size_t>(k)];
      const double price = market.payoffs.row(k).dot(point.g.matrix());
      // On a limit both ends of its step are best answers: the nearer one to nothing counts.
      const auto above = static_cast<std::size_t>(ladder.rung(price + kOnLimit));
      const auto below = static_cast<std::size_t>(ladder.rung(price - kOnLimit));
      const double most = ladder.demand[below];
      const double least = ladder.demand[above];
      const double wanted = std::max({least, -most, 0.0});
      if (!(std::abs(point.demand[k]) < reach && wanted < reach)) {
        return false;
      }
    }
    return true;
  }

  Arena arena;
  ScaledMarket market;
  ScaledMaker maker;
  std::unique_ptr<MakerFunction> cost;
  MakerFunction& function;
  double reach;
  Idle idle;
  std::vector<Ladder> ladders;
};

/// The notional that trades at a point, money: orders with the maker and with each other.
double notional_of(const std::vector<Staircase>& stairs, const ScaledMarket& market,
                   const AuctionPoint& point) {
  double notional = market.scale * point.demand.abs().sum();
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

/// Whether little trades compared with the largest orders, which are giants among the rest or leave
/// what trades no proof to the tolerance.
bool is_dwarfed(const std::vector<Staircase>& stairs, const ScaledMarket& whole,
                const AtScale& scales, const AuctionPoint& point, double tolerance) {
  const ScaledMarket& market = scales.market;
  const double traded = point.demand.abs().sum();
  if (traded > 0.0 && traded <= kDwarfed &&
      market.scale * std::abs(point.gap()) > tolerance * notional_of(stairs, market, point)) {
    return true;
  }
  const bool lost = !(point.gap() <= kLost);  // in units so coarse, the solution itself
  if ((point.demand.abs().sum() > kDwarfed && !lost) || whole.claims() == 0) {
    return false;
  }
  std::vector<double> heights;
  for (int k = 0; k < whole.claims(); ++k) {
    const Staircase& claim =
        stairs[static_cast<std::size_t>(whole.original[static_cast<std::size_t>(k)])];
    for (std::size_t l = 0; l < claim.limit.size(); ++l) {
      heights.push_back(whole.demand(k, claim.buy[l] + claim.sell[l]));
    }
  }
  if (heights.empty()) {
    return false;
  }
  const auto middle = heights.begin() + static_cast<std::ptrdiff_t>(heights.size() / 2);
  std::nth_element(heights.begin(), middle, heights.end());
  const double least = *std::min_element(heights.begin(), middle + 1);
  // Units of the smallest orders resolve everything: no need to look closer.
  return *std::max_element(middle, heights.end()) > kGiant * least &&
         scales.market.scale > least * whole.scale;
}

AuctionClearing clear_until(const Market& given, const MakerModel& model, const Orders& orders,
                            const std::vector<Staircase>& stairs, const AuctionSettings& settings,
                            Limits& limits) {
  const auto start = Clock::now();
  Checkpoint checkpoint(limits.token());
  const Array prior = prior_of(model);
  Market market = given;
  market.prior = prior.data();
  market.risk_aversion = model.kind == MakerKind::kKnightian ? model.risk_aversion : 1.0;
  market.ambiguity = model.kind == MakerKind::kKnightian ? model.ambiguity : 0.0;
  const ScaledMarket whole(market, stairs);
  AuctionClearing result;
  Clearing& clearing = result.clearing;
  for (const Staircase& claim : stairs) {
    clearing.pieces.push_back(claim.pieces());
  }

  auto scales = std::make_unique<AtScale>(whole, model, stairs, kInfinity);
  SolvedAuction solved;
  solved.stopped = limits.told_before();
  if (solved.stopped) {
    solved.point = scales->before_solving(stairs, checkpoint);
  } else {
    solved = scales->solve(stairs, settings, checkpoint);
  }
  // Orders that stand far from the prices must not set the scale of those that trade.
  double share = 0.0;  // of the units so far; none chosen yet
  for (int zoom = 0; zoom < kZooms && !solved.stopped &&
                     is_dwarfed(stairs, whole, *scales, solved.point, settings.tolerance);
       ++zoom) {
    ScaledMarket closer = scales->market;
    const double traded = solved.point.gap() <= kLost ? solved.point.demand.abs().sum() : 0.0;
    share = share > 0.0 ? std::sqrt(share) : std::max(kRoom * traded, kLongestZoom);
    closer.scale *= share;
    closer.inventory /= share;
    closer.risk_aversion *= share;
    auto near = std::make_unique<AtScale>(closer, model, stairs, kReach);
    SolvedAuction found = near->solve(stairs, settings, checkpoint);
    solved.iterations += found.iterations;
    if (found.stopped) {
      AuctionPoint first = scales->before_solving(stairs, checkpoint);
      if (first.objective > solved.point.objective) {
        solved.point = std::move(first);
      }
      break;
    }
    if (near->is_within(found.point) &&
        closer.scale * std::abs(found.point.gap()) <=
            scales->market.scale *
                std::max(kGapRounding, kNoWorse * std::abs(solved.point.gap()))) {
      found.iterations = solved.iterations;
      solved = std::move(found);
      scales = std::move(near);
      share = 0.0;
    } else if (share > kShortestZoom) {  // these units were too fine, and no others are left
      break;
    }
  }
  const ScaledMarket& scaled = scales->market;
  MakerFunction& function = scales->function;
  const double idle = function.evaluate(-scaled.inventory);
  const AuctionPoint& point = solved.point;
  clearing.seconds_search = seconds_since(start);

  Choice choice;
  choice.cell = point.piece;
  choice.demand = point.demand;
  choice.state_prices = point.g;
  std::vector<int> places(stairs.size());
  std::iota(places.begin(), places.end(), 0);
  const Published traded = publish(market, orders, places, {stairs, stairs, {}}, scaled, choice,
                                   settings.allocation, clearing);
  clearing.scale = traded.scale > 0.0 ? traded.scale : Levels(market, stairs).smaller_half();
  double premium = 0.0;  // what limits pay above the clearing prices
  for (std::size_t k = 0; k < stairs.size(); ++k) {
    const double at_limits =
        paid_at_limits(stairs[k], static_cast<int>(clearing.cell[k]), clearing.net_demand[k]);
    premium += at_limits - clearing.claim_prices[k] * clearing.net_demand[k];
  }

  // From the published demand, which is what limits and allocation made of the chosen one.
  AuctionPoint published = point;
  double revenue = 0.0;
  for (int k = 0; k < scaled.claims(); ++k) {
    const auto source = static_cast<std::size_t>(scaled.original[static_cast<std::size_t>(k)]);
    published.demand[k] = scaled.demand(k, clearing.net_demand[source]);
    revenue += published.demand[k] * scaled.price(k, clearing.claim_prices[source]);
  }
  const Auction auction{scaled, scales->maker, scales->ladders, checkpoint};
  auction.judge(function, published);
  const double nothing = cost_of_nothing(model);
  const double value = revenue - function.evaluate(auction.losses(published.demand));
  const double competitive = to_money(scaled, value) - nothing;
  result.objective = competitive + premium;
  clearing.certainty_equivalent =
      settings.rule == ConvexRule::kPayAsBid ? result.objective : competitive;
  if (settings.rule == ConvexRule::kPayAsBid) {
    clearing.revenue += premium;
    for (double& wealth : clearing.payoff) {
      wealth += premium;
    }
  }
  clearing.no_trade_equivalent = to_money(scaled, -idle) - nothing;
  clearing.upper_bound = result.objective + scaled.scale * std::max(published.gap(), 0.0);
  clearing.support.worst_case = to_vector(point.p);
  clearing.support.marginal_state_prices = clearing.state_prices;
  clearing.support.multipliers.assign(static_cast<std::size_t>(market.claims), 0.0);
  clearing.support.ambiguity_price = scaled.scale * function.ambiguity_price();
  if (model.kind != MakerKind::kKnightian || !point.unique) {
    clearing.support.ambiguity_price = 0.0;
  } else if (scaled.kind == Ambiguity::kNone) {
    const auto [least, most] = std::minmax_element(clearing.payoff.begin(), clearing.payoff.end());
    clearing.support.ambiguity_price = *least < *most ? kInfinity : 0.0;
  }
  if (std::none_of(stairs.begin(), stairs.end(),
                   [](const Staircase& claim) { return claim.has_net_demand(); })) {
    // Nothing can trade: there is one clearing, and what bounds it is its own worth.
    clearing.upper_bound = result.objective;
    published.bound = published.objective;
  }
  // Judged by the published figures. A bound that is below what it bounds proves no more than the
  // rounding by which it is.
  const double wanted = settings.tolerance * clearing.scale;
  const bool proven = clearing.upper_bound - result.objective <= wanted &&
                      scaled.scale * -published.gap() <= wanted && consistent(market, clearing);
  clearing.status = proven                                ? Status::kOptimal
                    : limits.status() != Status::kOptimal ? limits.status()
                                                          : Status::kInaccurate;
  if (!proven) {  // the state prices may be any: what the maker would pay is another matter
    function.evaluate(auction.losses(published.demand));
    clearing.support.marginal_state_prices = to_vector(function.g());
    clearing.support.worst_case = to_vector(function.worst_case());
  }
  clearing.iterations = solved.iterations;
  clearing.threads = 1;
  clearing.seconds_total = seconds_since(start);
  clearing.seconds_select = clearing.seconds_total - clearing.seconds_search;
  return result;
}

}  // namespace

AuctionClearing clear_compiled_auction(const Market& market, const MakerModel& maker,
                                       const Orders& orders, const std::vector<Staircase>& stairs,
                                       const AuctionSettings& settings) {
  require(validate_rule(maker.kind, number_of(settings.rule)));
  ClearSettings until;
  until.time_limit = settings.time_limit;
  until.interrupted = settings.interrupted;
  until.looks = settings.looks;
  Limits limits(until, Clock::now(), orders.count, Limits::Clock::duration::zero());
  return clear_until(market, maker, orders, stairs, settings, limits);
}

AuctionClearing clear_auction(const Market& market, const MakerModel& maker, const Orders& orders,
                              const AuctionSettings& settings) {
  const auto start = Clock::now();
  const std::vector<Staircase> stairs = compile_staircases(market, orders);
  const double seconds = seconds_since(start);
  AuctionSettings rest = settings;
  rest.time_limit = std::max(settings.time_limit - seconds, 0.0);
  AuctionClearing cleared = clear_compiled_auction(market, maker, orders, stairs, rest);
  cleared.clearing.seconds_compile = seconds;
  cleared.clearing.seconds_total += seconds;
  return cleared;
}

}  // namespace kpm
