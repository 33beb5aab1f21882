// The public functions: compile the book once, solve, translate the answer back once.
#include <algorithm>
#include <chrono>
#include <cmath>

#include "api/selection.hpp"
#include "demand/allocation.hpp"
#include "kpm/kpm.hpp"
#include "risk/risk_measure.hpp"
#include "search/cell_search.hpp"

namespace kpm {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Cells whose certainty equivalents differ by less than this share of the tolerance are equally
// good: the larger volume decides between them.
constexpr double kTieShare = 0.25;

// Inventory so large that the notional drowns in its last digits: a gap of this share of the
// largest is rounding.
constexpr double kRounding = 32 * 2.220446049250313e-16;

std::vector<double> to_vector(const Array& from) {
  return std::vector<double>(from.data(), from.data() + from.size());
}

/// Multipliers of the caller's claims, per share, from those of the scaled ones.
std::vector<double> original_multipliers(const Market& market, const ScaledMarket& scaled,
                                         const Array& lambda) {
  std::vector<double> result(static_cast<std::size_t>(market.claims), 0.0);
  for (int k = 0; k < scaled.claims(); ++k) {
    const auto source = static_cast<std::size_t>(scaled.original[static_cast<std::size_t>(k)]);
    result[source] = lambda[k] * (scaled.scale / scaled.span[k]);
  }
  return result;
}

double to_money(const ScaledMarket& scaled, double certainty_equivalent) {
  return scaled.inventory_floor + scaled.scale * certainty_equivalent;
}

/// A constant claim has one price and moves nothing: everything that can be matched there is.
int piece_of_constant(const Staircase& claim) {
  if (claim.limit.empty()) {
    return 0;
  }
  return claim.sell[0] == 0.0 ? 0 : claim.buy[0] == 0.0 ? 2 : 1;
}

/// Prices, fills and the maker's position of the chosen cell, in the caller's units.
void publish(const Market& market, const Orders& orders, const std::vector<Staircase>& stairs,
             const ScaledMarket& scaled, const Choice& choice, Allocation allocation,
             Clearing& clearing) {
  const auto claims = static_cast<std::size_t>(market.claims);
  clearing.cell.resize(claims);
  for (std::size_t k = 0; k < claims; ++k) {
    clearing.cell[k] = stairs[k].span() > 0.0 ? 0 : piece_of_constant(stairs[k]);
  }
  std::vector<double> net(claims, 0.0);  // demand at the limit of a step
  for (std::size_t k = 0; k < claims; ++k) {
    if (Staircase::is_step(static_cast<int>(clearing.cell[k]))) {
      net[k] = stairs[k].buy[0] - stairs[k].sell[0];
    }
  }
  for (int k = 0; k < scaled.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const auto source = static_cast<std::size_t>(scaled.original[at]);
    const int piece = choice.cell[at];
    clearing.cell[source] = piece;
    if (Staircase::is_step(piece)) {
      const Staircase& claim = stairs[source];
      const auto l = static_cast<std::size_t>(piece / 2);
      net[source] = choice.demand[k] * (scaled.scale / scaled.span[k]) -
                    (claim.bought[l + 1] - claim.sold[l]);
    }
  }
  clearing.fills = allocate(orders, stairs, clearing.cell, net, allocation);
  clearing.state_prices = to_vector(choice.state_prices);

  // From the staircase, not the fills: a sum over orders would depend on their sequence.
  clearing.net_demand.resize(claims);
  for (std::size_t k = 0; k < claims; ++k) {
    const auto l = static_cast<std::size_t>(clearing.cell[k] / 2);
    clearing.net_demand[k] = stairs[k].demand[l];
    if (Staircase::is_step(static_cast<int>(clearing.cell[k]))) {
      const Matched matched = match_at_limit(stairs[k].buy[l], stairs[k].sell[l], net[k]);
      clearing.net_demand[k] =
          (stairs[k].bought[l + 1] + matched.bought) - (stairs[k].sold[l] + matched.sold);
    }
  }
  clearing.claim_prices.resize(claims);
  clearing.payoff.assign(market.inventory, market.inventory + market.states);
  clearing.revenue = 0.0;
  for (std::size_t k = 0; k < claims; ++k) {
    const int piece = static_cast<int>(clearing.cell[k]);
    const Piece range = stairs[k].piece(piece);
    const double* row = market.payoffs + static_cast<std::ptrdiff_t>(k) * market.states;
    double price = range.price_low;
    if (!Staircase::is_step(piece)) {
      // Offset and span apart: payoffs far from zero would cost the price its last digits.
      double above = 0.0;
      for (int i = 0; i < market.states; ++i) {
        above +=
            (row[i] - stairs[k].price_min) * clearing.state_prices[static_cast<std::size_t>(i)];
      }
      price = std::clamp(stairs[k].price_min + above, range.price_low, range.price_high);
    }
    clearing.claim_prices[k] = price;
    clearing.revenue += price * clearing.net_demand[k];
  }
  for (int i = 0; i < market.states; ++i) {
    double gain = 0.0;
    for (std::size_t k = 0; k < claims; ++k) {
      const double* row = market.payoffs + static_cast<std::ptrdiff_t>(k) * market.states;
      gain += (clearing.claim_prices[k] - row[i]) * clearing.net_demand[k];
    }
    clearing.payoff[static_cast<std::size_t>(i)] += gain;
  }
}

/// Certainty equivalent of the published position, from the fills themselves.
double value_of(const ScaledMarket& scaled, const Clearing& clearing, RiskMeasure& measure) {
  Array loss = -scaled.inventory;
  double revenue = 0.0;
  for (int k = 0; k < scaled.claims(); ++k) {
    const auto source = static_cast<std::size_t>(scaled.original[static_cast<std::size_t>(k)]);
    const double demand = scaled.demand(k, clearing.net_demand[source]);
    revenue += demand * scaled.price(k, clearing.claim_prices[source]);
    loss += demand * scaled.payoffs.row(k).transpose().array();
  }
  return revenue - measure.evaluate(loss);
}

}  // namespace

std::vector<std::vector<Piece>> staircases(const Market& market, const Orders& orders) {
  std::vector<std::vector<Piece>> result;
  for (const Staircase& claim : compile_staircases(market, orders)) {
    result.emplace_back();
    for (int piece = 0; piece < claim.pieces(); ++piece) {
      result.back().push_back(claim.piece(piece));
    }
  }
  return result;
}

CellSolution solve_cell(const Market& market, const Orders& orders, const std::int64_t* cell,
                        const CellSettings& settings) {
  const std::vector<Staircase> stairs = compile_staircases(market, orders);
  const ScaledMarket scaled(market, stairs);
  CellSolution result;
  result.state_prices.assign(market.prior, market.prior + market.states);
  result.net_demand.assign(static_cast<std::size_t>(market.claims), 0.0);
  for (int k = 0; k < market.claims; ++k) {
    const auto at = static_cast<std::size_t>(k);
    result.net_demand[at] = stairs[at].piece(static_cast<int>(cell[k])).demand_low;
  }

  std::vector<int> active;
  active.reserve(scaled.original.size());
  for (const int source : scaled.original) {
    active.push_back(static_cast<int>(cell[source]));
  }
  Hull hull(scaled.claims(), 2 * scaled.claims());
  set_cell(hull, scaled, stairs, active.data());
  InteriorPoint solver(scaled, 2 * scaled.claims());
  if (!solver.reachable(hull)) {
    result.status = Status::kInfeasible;
    return result;
  }
  InteriorPoint::Settings inner;
  inner.tolerance = settings.tolerance;
  inner.max_iterations = settings.max_iterations;
  const auto outcome = solver.solve(hull, inner);
  result.status =
      outcome == InteriorPoint::Outcome::kOptimal ? Status::kOptimal : Status::kInaccurate;
  result.state_prices = to_vector(solver.state_prices() / solver.state_prices().sum());
  for (int k = 0; k < scaled.claims(); ++k) {
    const auto source = static_cast<std::size_t>(scaled.original[static_cast<std::size_t>(k)]);
    const Piece box = stairs[source].piece(active[static_cast<std::size_t>(k)]);
    result.net_demand[source] = std::clamp(solver.demand()[k] * (scaled.scale / scaled.span[k]),
                                           box.demand_low, box.demand_high);
  }
  result.certainty_equivalent = to_money(scaled, solver.objective());
  result.dual_bound = to_money(scaled, solver.bound());
  result.primal_residual = solver.primal_residual();
  result.dual_residual = solver.dual_residual();
  result.iterations = solver.iterations();
  result.support.worst_case = to_vector(solver.worst_case());
  result.support.marginal_state_prices = to_vector(solver.marginal_state_prices());
  result.support.multipliers = original_multipliers(market, scaled, solver.multipliers());
  result.support.ambiguity_price = scaled.scale * solver.ambiguity_price();
  return result;
}

Clearing clear(const Market& market, const Orders& orders, const ClearSettings& settings) {
  const auto start = Clock::now();
  const std::vector<Staircase> stairs = compile_staircases(market, orders);
  const ScaledMarket scaled(market, stairs);
  const CellGrid grid(scaled, stairs);
  double cells = 1.0;
  for (const Staircase& claim : stairs) {
    cells *= claim.pieces();
  }
  // Cells that differ in constant claims only are one to the search.
  const double copies = cells / grid.cells_below(0);
  Clearing clearing;
  clearing.scale = scaled.scale;
  clearing.seconds_compile = seconds_since(start);

  SearchSettings search;
  search.tolerance = settings.tolerance;
  search.tie = kTieShare * settings.tolerance;
  search.threads = settings.threads;
  search.prune_bound = settings.prune_bound;
  const auto in_money = [&](Progress progress) {
    progress.elapsed = seconds_since(start);
    progress.cells = cells;
    progress.pruned_infeasible *= copies;
    progress.pruned_bound += static_cast<double>(progress.solved) * (copies - 1.0) +
                             progress.pruned_bound * (copies - 1.0);
    progress.certainty_equivalent = to_money(scaled, progress.certainty_equivalent);
    progress.upper_bound = to_money(scaled, progress.upper_bound);
    return progress;
  };
  search.stop = [&](const Progress& progress) {
    if (seconds_since(start) > settings.time_limit) {
      return Status::kTimeLimit;
    }
    const bool stop = settings.monitor && settings.monitor(in_money(progress));
    return stop ? Status::kInterrupted : Status::kOptimal;
  };
  const SearchResult found = search_cells(grid, search);
  clearing.seconds_search = seconds_since(start) - clearing.seconds_compile;

  Selection selection(scaled, stairs);
  const Choice choice = selection.choose(found.candidates);
  publish(market, orders, stairs, scaled, choice, settings.allocation, clearing);

  RiskMeasure measure(scaled);
  const double value = value_of(scaled, clearing, measure);
  clearing.certainty_equivalent = to_money(scaled, value);
  clearing.support.worst_case = to_vector(choice.worst_case);
  clearing.support.marginal_state_prices = to_vector(choice.marginal_state_prices);
  clearing.support.multipliers = original_multipliers(market, scaled, choice.multipliers);
  clearing.support.ambiguity_price = scaled.scale * choice.ambiguity_price;
  if (scaled.kind == Ambiguity::kNone) {
    // The first nat costs infinitely much per nat, unless all states are alike to the maker.
    const auto [least, most] = std::minmax_element(clearing.payoff.begin(), clearing.payoff.end());
    clearing.support.ambiguity_price = *least < *most ? kInfinity : 0.0;
  }
  clearing.no_trade_equivalent = to_money(scaled, -measure.evaluate(-scaled.inventory));
  clearing.upper_bound =
      std::max(to_money(scaled, found.upper_bound), clearing.certainty_equivalent);

  clearing.status = found.status;
  const double rounding = kRounding * scaled.inventory.maxCoeff();
  if (found.status == Status::kOptimal &&
      found.upper_bound - value > settings.tolerance + rounding) {
    clearing.status = Status::kInaccurate;
  }
  clearing.progress = in_money(found.progress);
  clearing.iterations = found.iterations + selection.iterations();
  clearing.threads = found.threads;
  clearing.seconds_total = seconds_since(start);
  clearing.seconds_select =
      clearing.seconds_total - clearing.seconds_compile - clearing.seconds_search;
  return clearing;
}

}  // namespace kpm
