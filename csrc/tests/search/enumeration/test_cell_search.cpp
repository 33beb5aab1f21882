// The enumeration against every cell, one by one.
#include <algorithm>
#include <vector>

#include "cell/cell_solver.hpp"
#include "random_book.hpp"
#include "search/enumeration/cell_search.hpp"

namespace kpm {

namespace {

/// The best cell of all that state prices reach, and how many these are.
struct EveryCell {
  EveryCell(const ScaledMarket& market, const std::vector<Corners>& corners) {
    Arena arena;
    CellSolver solver(market, arena);
    Hull hull(market.claims(), 2 * market.claims(), arena);
    std::vector<int> cell(corners.size(), 0);
    for (std::size_t k = 0; k < cell.size();) {
      set_cell(hull, corners, cell);
      if (solver.reachable(hull)) {
        solver.solve(hull, {});
        ++reached;
        value = std::max(value, solver.optimum().objective);
      }
      for (k = 0; k < cell.size() && ++cell[k] == corners[k].pieces(); ++k) {
        cell[k] = 0;
      }
    }
  }

  double value = -kInfinity;
  double reached = 0.0;
};

}  // namespace

TEST(an_enumeration_finds_the_best_of_all_cells) {
  test::Random random(7);
  for (int n = 0; n < 40; ++n) {
    const test::RandomBook book(random, 2 + random.below(3), 1 + random.below(3), random.below(7));
    const Market market = book.market();
    const std::vector<Staircase> stairs = compile_staircases(market, book.book());
    const ScaledMarket scaled(market, stairs);
    const CellGrid grid(scaled, stairs);
    const std::vector<Corners> corners = find_corners(scaled, stairs);
    if (grid.claims() == 0) {
      continue;
    }
    const EveryCell every(scaled, corners);
    StopToken token([] { return true; });
    EnumerationSettings settings;
    settings.tolerance = 1e-9;
    settings.token = &token;
    for (const bool prune : {true, false}) {
      settings.prune_bound = prune;
      const SearchResult found = search_cells(grid, settings);
      const Progress& counted = found.progress;
      const double solved = static_cast<double>(counted.solved);
      CHECK(found.status == Status::kOptimal);
      CHECK_NEAR(found.value, every.value, 1e-9);
      CHECK_AT_MOST(found.value, found.upper_bound, 0.0);
      CHECK_AT_MOST(found.upper_bound, every.value, 1e-9);
      CHECK(solved + counted.pruned_infeasible + counted.pruned_bound == grid.cells_below(0));
      CHECK(prune ? solved <= every.reached : counted.pruned_bound == 0.0);
      CHECK(prune || solved == every.reached);
      CHECK(!found.candidates.empty());
      for (const Candidate& candidate : found.candidates) {
        CHECK_AT_MOST(found.value, candidate.value, settings.tie);
      }
    }
  }
}

}  // namespace kpm
