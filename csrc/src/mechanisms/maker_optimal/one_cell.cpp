// The pieces of a book: its staircases, and the clearing of one cell.
#include <algorithm>
#include <cstddef>

#include "book/scaled_market.hpp"
#include "book/staircase.hpp"
#include "book/units.hpp"
#include "cell/cell_solver.hpp"
#include "kpm/kpm.hpp"
#include "kpm/validation.hpp"

namespace kpm {

std::vector<std::vector<Piece>> staircases(const Market& market, const Orders& orders) {
  require(validate_payoffs(market));
  require(validate(orders, market.claims));
  std::vector<std::vector<Piece>> result;
  for (const Staircase& claim : compile_staircases(market, orders)) {
    result.emplace_back();
    for (int piece = 0; piece < claim.pieces(); ++piece) {
      result.back().push_back(claim.piece(piece));
    }
  }
  return result;
}

std::vector<std::int64_t> count_pieces(const Market& market, const Orders& orders) {
  require(validate_payoffs(market));
  require(validate(orders, market.claims));
  std::vector<std::int64_t> result;
  for (const Staircase& claim : compile_staircases(market, orders)) {
    result.push_back(claim.pieces());
  }
  return result;
}

CellSolution solve_cell(const Market& market, const Orders& orders, const std::int64_t* cell,
                        const CellSettings& settings) {
  require(validate(market, orders));
  const std::vector<Staircase> stairs = compile_staircases(market, orders);
  for (int k = 0; k < market.claims; ++k) {
    const std::int64_t piece = cell[k];
    if (piece < 0 || piece >= stairs[static_cast<std::size_t>(k)].pieces()) {
      require({Rule::kIndex, Field::kCell, k, -1, static_cast<double>(piece)});
    }
  }
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
  Arena arena;
  Hull hull(scaled.claims(), 2 * scaled.claims(), arena);
  set_cell(hull, scaled, stairs, active.data());
  CellSolver solver(scaled, arena);
  if (!solver.reachable(hull)) {
    result.status = Status::kInfeasible;
    return result;
  }
  CellSolver::Settings inner;
  inner.tolerance = settings.tolerance;
  inner.max_iterations = settings.max_iterations;
  inner.central_multipliers = false;  // they bound no other cells
  const auto outcome = solver.solve(hull, inner);
  const CellOptimum& optimum = solver.optimum();
  result.status = outcome == CellSolver::Outcome::kOptimal ? Status::kOptimal : Status::kInaccurate;
  const Array state_prices = optimum.state_prices.max(0.0);  // a vertex may be off by rounding
  result.state_prices = to_vector(state_prices / state_prices.sum());
  for (int k = 0; k < scaled.claims(); ++k) {
    const auto source = static_cast<std::size_t>(scaled.original[static_cast<std::size_t>(k)]);
    const Piece box = stairs[source].piece(active[static_cast<std::size_t>(k)]);
    result.net_demand[source] = std::clamp(optimum.demand[k] * (scaled.scale / scaled.span[k]),
                                           box.demand_low, box.demand_high);
  }
  result.certainty_equivalent = to_money(scaled, optimum.objective);
  result.dual_bound = to_money(scaled, optimum.bound);
  result.primal_residual = optimum.primal_residual;
  result.dual_residual = optimum.dual_residual;
  result.iterations = solver.iterations();
  result.support.worst_case = to_vector(optimum.worst_case);
  result.support.marginal_state_prices = to_vector(optimum.marginal_state_prices);
  result.support.multipliers = original_multipliers(market.claims, scaled, optimum.multipliers);
  result.support.ambiguity_price = scaled.scale * optimum.ambiguity_price;
  return result;
}

}  // namespace kpm
