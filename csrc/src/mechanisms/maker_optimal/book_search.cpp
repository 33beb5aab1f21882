#include "mechanisms/maker_optimal/book_search.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "cell/cell_solver.hpp"
#include "cell/hull.hpp"
#include "mechanisms/maker_optimal/certificate.hpp"
#include "numerics/arena.hpp"
#include "numerics/tolerances.hpp"
#include "search/enumeration/cell_search.hpp"
#include "search/tree/branch_and_bound.hpp"

namespace kpm {

namespace {

// Cells whose certainty equivalents differ by less than this share of the tolerance are solved more
// accurately before one is chosen.
constexpr double kTieShare = 0.25;

/// The demand of the presolved book, of the full one, whose cell this is.
Array restore_demand(const Presolve& book, const ScaledMarket& scaled,
                     const std::vector<Staircase>& stairs, const ArrayView& merged,
                     const std::vector<int>& cell) {
  std::vector<Piece> pieces;
  pieces.reserve(cell.size());
  for (int k = 0; k < scaled.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const auto source = static_cast<std::size_t>(scaled.original[at]);
    Piece piece = stairs[source].piece(cell[at]);
    piece.demand_low = scaled.demand(k, piece.demand_low);
    piece.demand_high = scaled.demand(k, piece.demand_high);
    pieces.push_back(piece);
  }
  return book.restore_demand(merged, pieces);
}

/// What trades in the best cell found, solved again, as the tree solves it: an enumeration does not
/// keep demand. Where next to nothing trades, the unit of the next search depends on every digit.
double stake_of_best(const ScaledMarket& scaled, const std::vector<Staircase>& stairs,
                     const Stakes& stakes, const SearchResult& result) {
  const auto best =
      std::max_element(result.candidates.begin(), result.candidates.end(),
                       [](const Candidate& a, const Candidate& b) { return a.value < b.value; });
  if (best == result.candidates.end()) {
    return 0.0;
  }
  Arena arena;
  Hull hull(scaled.claims(), 2 * scaled.claims(), arena);
  set_cell(hull, scaled, stairs, best->cell.data());
  CellSolver solver(scaled, arena);
  CellSolver::Settings settings;
  settings.tolerance = kCandidateTolerance;
  settings.central_multipliers = false;
  solver.solve(hull, settings);
  return stakes.of(best->cell, solver.optimum().demand, solver.optimum().objective);
}

}  // namespace

Found enumerate(const ScaledMarket& scaled, const std::vector<Staircase>& stairs,
                const Stakes& stakes, double cells, const SearchTask& task) {
  const ClearSettings& settings = task.settings;
  const CellGrid grid(scaled, stairs);
  // Cells that differ only in claims outside the search are one cell to it.
  const double copies = cells / grid.cells_below(0);
  const auto all_cells = [copies](Progress progress) {
    progress.pruned_infeasible *= copies;
    progress.pruned_bound +=
        (static_cast<double>(progress.solved) + progress.pruned_bound) * (copies - 1.0);
    return progress;
  };
  EnumerationSettings search;
  search.tolerance = settings.tolerance * std::min(1.0, stakes.floor());
  search.tie = std::max(kTieShare * search.tolerance, kTie);
  search.threads = settings.threads;
  search.thread_delay = settings.thread_delay;
  search.prune_bound = settings.prune_bound;
  search.token = &task.token;
  if (task.report) {
    search.report = [&](const Progress& progress) { task.report(all_cells(progress)); };
  }
  SearchResult result = search_cells(grid, search);
  const double stake = task.token.stopped() ? 0.0 : stake_of_best(scaled, stairs, stakes, result);
  const bool coarse = stake > 0.0 && task.too_coarse(stake);
  const double wanted = std::max(settings.tolerance * stake, kCandidateTolerance);
  if (stake > 0.0 && !coarse && wanted < search.tolerance &&
      result.upper_bound > result.value + wanted) {
    // Less trades than could: the cells are solved again to a tolerance relative to that.
    search.tolerance = wanted;
    search.tie = std::max(kTieShare * search.tolerance, kTie);
    const std::int64_t before = result.iterations;
    result = search_cells(grid, search);
    result.iterations += before;
  }
  // A limit may strike when the last cell is done: what is proven is optimal all the same.
  const Progress& done = result.progress;
  const double counted =
      static_cast<double>(done.solved) + done.pruned_infeasible + done.pruned_bound;
  if (counted == grid.cells_below(0) && result.upper_bound <= result.value + search.tolerance) {
    result.status = Status::kOptimal;
  }
  return {result.status,
          std::move(result.candidates),
          {},
          result.upper_bound,
          all_cells(result.progress),
          result.iterations,
          result.threads,
          coarse,
          {}};
}

Found prove(const Market& market, const TradedMarket& traded, Presolve& book,
            const std::vector<Staircase>& whole, const TradableBook* tradable, const Stakes& stakes,
            const SearchTask& task, const std::vector<double>& riskless, Certificate& certificate) {
  const ClearSettings& settings = task.settings;
  const std::vector<Staircase>& stairs = tradable != nullptr ? tradable->stairs : whole;
  const ScaledMarket& scaled = traded.market();
  TreeSettings search;
  search.tolerance = settings.tolerance;
  search.threads = settings.threads;
  search.thread_delay = settings.thread_delay;
  search.node_limit = settings.node_limit;
  search.keep_leaves = settings.certificate;
  search.token = &task.token;
  search.report = task.report;
  search.stake = [&](const Candidate& candidate) {
    const Array none;
    if (book.same_claims()) {
      return candidate.optimum
                 ? stakes.of(candidate.cell, candidate.optimum->demand, candidate.value)
                 : stakes.of(candidate.cell, none, candidate.value);
    }
    const std::vector<int> cell = book.restore(candidate.cell);  // of all claims
    const Array demand = candidate.optimum
                             ? restore_demand(book, scaled, stairs, candidate.optimum->demand, cell)
                             : none;
    return stakes.of(cell, demand, candidate.value);
  };
  search.too_coarse = task.too_coarse;
  TreeResult result = branch_and_bound(book.market(), book.corners(), search);
  double proof_rounding = 0.0;
  if (settings.certificate && !result.coarse) {
    Checkpoint checkpoint(task.interruption, kGrace);
    try {
      Proof proof =
          certify(market, traded, book, whole, tradable, riskless, result.leaves, checkpoint);
      certificate = std::move(proof.certificate);
      proof_rounding = proof.rounding;
    } catch (const Abandoned&) {
      certificate = {};  // the bound holds without it
    }
  }
  for (auto* const found : {&result.candidates, &result.reserve}) {
    for (Candidate& candidate : *found) {
      if (book.same_claims()) {
        continue;
      }
      candidate.cell = book.restore(candidate.cell);
      if (candidate.optimum) {
        const CellOptimum& merged = *candidate.optimum;
        auto optimum = std::make_shared<CellOptimum>(scaled.states(), scaled.claims());
        static_cast<CellFigures&>(*optimum) = merged;
        optimum->state_prices = merged.state_prices;
        optimum->worst_case = merged.worst_case;
        optimum->marginal_state_prices = merged.marginal_state_prices;
        optimum->demand = restore_demand(book, scaled, stairs, merged.demand, candidate.cell);
        optimum->multipliers = book.restore_multipliers(merged.multipliers);
        optimum->risk = kInfinity;  // what is sold of a complement adds the same to all losses
        candidate.optimum = std::move(optimum);
        candidate.solved = false;  // the members of a group have not been told apart
      }
    }
  }
  std::vector<Corners> corners;
  if (book.same_claims() && tradable == nullptr) {
    corners = book.release_corners();
  }
  return {result.status,
          std::move(result.candidates),
          std::move(result.reserve),
          result.upper_bound,
          result.progress,
          result.iterations,
          result.threads,
          result.coarse,
          std::move(corners),
          proof_rounding};
}

}  // namespace kpm
