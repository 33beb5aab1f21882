// Compile the book once, solve, choose what is published, translate back once.
#include "kpm/auction.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "book/units.hpp"
#include "mechanisms/competitive/auction_program.hpp"
#include "mechanisms/competitive/point.hpp"
#include "mechanisms/competitive/polish.hpp"
#include "mechanisms/competitive/published.hpp"
#include "mechanisms/maker_optimal/publication.hpp"
#include "selection/allocation.hpp"

namespace kpm {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Fast first; the others start afresh where it stalls.
constexpr Attempt kAttempts[] = {{0.01, 0.6}, {0.1, 0.2}, {1.0, 0.01}, {1.0, 0.5}, {10.0, 1e-4}};
constexpr double kSharp = 1e-12;  // scaled money: what polishing wants to begin with
constexpr double kRounding = 64 * 2.220446049250313e-16;
constexpr double kOpenTie = 1e-13;  // scaled money a choice of demand may cost

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

/// The optimum of the scaled auction that is published.
struct Solved {
  AuctionPoint point;
  std::vector<int> tied;
  std::int64_t iterations = 0;
  bool chosen = true;  ///< whether the rules for prices could be applied
};

Solved solve(const Auction& auction, const std::vector<Staircase>& stairs, const ArrayView& prices,
             const AuctionSettings& settings, MakerFunction& function) {
  Solved solved;
  Arena arena;
  AuctionProgram program(auction.market, auction.maker, auction.ladders, arena);
  program.load(prices);
  const double tolerance = std::max(kSharp, kRounding * (1.0 + program.magnitude()));
  for (const Attempt& attempt : kAttempts) {
    int iterations = 0;
    run_predictor_corrector(program, tolerance, attempt, settings.max_iterations, iterations,
                            [] {});
    solved.iterations += iterations;
    if (program.gap() <= 100.0 * tolerance) {
      break;
    }
  }
  AuctionPoint& point = solved.point;
  point = polish(auction, program, function);
  if (!point.unique) {
    solved.tied = tied_functions(auction, program, auction.losses(point.demand));
  }
  choose_demand(auction, stairs, solved.tied, function, kOpenTie, point);
  if (!point.unique) {
    auction.judge(function, point);
    solved.chosen = choose_prices(auction, solved.tied, function, point);
  }
  auction.judge(function, point);
  return solved;
}

}  // namespace

AuctionClearing clear_auction(const Market& given, const MakerModel& model, const Orders& orders,
                              const AuctionSettings& settings) {
  const auto start = Clock::now();
  const Array prior = prior_of(model);
  Market market = given;
  market.prior = prior.data();
  market.risk_aversion = model.kind == MakerKind::kKnightian ? model.risk_aversion : 1.0;
  market.ambiguity = model.kind == MakerKind::kKnightian ? model.ambiguity : 0.0;
  const std::vector<Staircase> stairs = compile_staircases(market, orders);
  const ScaledMarket scaled(market, stairs);
  const ScaledMaker maker(model, scaled);
  AuctionClearing result;
  Clearing& clearing = result.clearing;
  for (const Staircase& claim : stairs) {
    clearing.pieces.push_back(claim.pieces());
  }
  clearing.scale = scaled.scale;
  Arena arena;
  MakerFunction function(scaled, maker, arena);
  const double idle = function.evaluate(-scaled.inventory);
  const Array prices = (scaled.payoffs * function.g().matrix()).array();
  const std::vector<Ladder> ladders = find_ladders(scaled, stairs, prices);
  const Auction auction{scaled, maker, ladders};
  clearing.seconds_compile = seconds_since(start);

  const Solved solved = solve(auction, stairs, prices, settings, function);
  const AuctionPoint& point = solved.point;
  clearing.seconds_search = seconds_since(start) - clearing.seconds_compile;

  Choice choice;
  choice.cell = point.piece;
  choice.demand = point.demand;
  choice.state_prices = point.g;
  publish(market, orders, stairs, scaled, choice, settings.allocation, clearing);
  double premium = 0.0;  // what limits pay above the clearing prices
  for (std::size_t k = 0; k < stairs.size(); ++k) {
    const double at_limits =
        paid_at_limits(stairs[k], static_cast<int>(clearing.cell[k]), clearing.net_demand[k]);
    premium += at_limits - clearing.claim_prices[k] * clearing.net_demand[k];
  }

  // From the published demand, which is what limits and allocation made of the chosen one.
  Array loss = -scaled.inventory;
  double revenue = 0.0;
  for (int k = 0; k < scaled.claims(); ++k) {
    const auto source = static_cast<std::size_t>(scaled.original[static_cast<std::size_t>(k)]);
    const double demand = scaled.demand(k, clearing.net_demand[source]);
    revenue += demand * scaled.price(k, clearing.claim_prices[source]);
    loss += demand * scaled.payoffs.row(k).transpose().array();
  }
  const double nothing = cost_of_nothing(model);
  const double value = revenue - function.evaluate(loss);
  const double competitive = to_money(scaled, value) - nothing;
  result.objective = competitive + premium;
  clearing.certainty_equivalent =
      settings.rule == ConvexRule::kCompetitive ? competitive : result.objective;
  if (settings.rule == ConvexRule::kPayAsBid) {
    clearing.revenue += premium;
    for (double& wealth : clearing.payoff) {
      wealth += premium;
    }
  }
  clearing.no_trade_equivalent = to_money(scaled, -idle) - nothing;
  clearing.upper_bound = result.objective + scaled.scale * std::max(point.gap(), 0.0);
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
  const bool proven =
      std::abs(point.gap()) <= settings.tolerance && solved.chosen && consistent(market, clearing);
  clearing.status = proven ? Status::kOptimal : Status::kInaccurate;
  clearing.iterations = solved.iterations;
  clearing.threads = 1;
  clearing.seconds_total = seconds_since(start);
  clearing.seconds_select =
      clearing.seconds_total - clearing.seconds_compile - clearing.seconds_search;
  return result;
}

}  // namespace kpm
