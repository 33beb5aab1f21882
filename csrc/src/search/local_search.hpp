// Local search: from a cell to better neighbouring cells.
#pragma once

#include <cstdint>
#include <vector>

#include "book/corners.hpp"
#include "cell/cell_solver.hpp"
#include "numerics/checkpoint.hpp"
#include "prices/price_simplex.hpp"
#include "prices/range_check.hpp"
#include "search/candidate.hpp"

namespace kpm {

/// Moving one claim of a cell to another piece. The greater its priority the sooner: an expected
/// gain, or how near the piece is.
struct CellMove {
  int claim;
  int piece;
  double priority;
};

/// Of equals the earlier first.
void sort_by_priority(std::vector<CellMove>& moves);

/// A claim on a flat trades at a price while the maker values it at G: beyond the step at the end
/// of the flat lies profit if G does. A claim on a step whose demand has reached an end while G
/// pulls further should leave the step there. Such claims move to the next piece, most profitable
/// first, as long as state prices reach the cell; the new cell is solved, and so on while that
/// pays. Each round costs one cell and at most K small linear feasibility checks.
class LocalSearch {
 public:
  LocalSearch(const ScaledMarket& market, const std::vector<Corners>& corners, Arena& arena,
              Checkpoint& checkpoint);

  /// Apply the moves to `cell`, if state prices reach the result, then climb from there, as long as
  /// the multipliers, which bound any cell, leave room above the best so far. Every clearing on the
  /// way is appended to `found`; returns the best value.
  double climb(std::vector<int> cell, std::vector<CellMove>& moves, const Multipliers& multipliers,
               std::vector<Candidate>& found);

  /// One round of that from the cell solved last: the next cell's value, minus infinity if there is
  /// none.
  double climb_once(std::vector<Candidate>& found);

  /// Whether the curvature of the risk leaves half of what the moves of one round from the cell
  /// solved last promise under its multipliers.
  bool promising();

  /// Solve one cell, unless it was the last: its value, minus infinity if no state prices reach it,
  /// or where, for a `rough` answer, doubles find none.
  double solve(const std::vector<int>& cell, std::vector<Candidate>& found, bool rough = false);

  /// Move as many claims as state prices allow, those of the greatest priority first: whether any.
  bool apply_moves(std::vector<int>& cell, std::vector<CellMove>& moves);

  /// Whether no trade is optimal for the maker in the cell, at a kink of its risk.
  bool no_trade_supported(const std::vector<int>& cell);

  /// Solve even the last cell again.
  void forget() { solved_.assign(1, -1); }
  bool has_optimum() const { return solved_.empty() || solved_[0] >= 0; }

  // Of the cell solved last.
  const CellOptimum& optimum() const { return solver_.optimum(); }
  const Multipliers& multipliers() const { return solver_.multipliers(); }

  std::int64_t cells() const { return cells_; }
  std::int64_t iterations() const { return iterations_; }
  void reset_counts() { cells_ = iterations_ = 0; }

 private:
  /// The one after the cell solved last: whether there is one.
  bool next_cell(std::vector<int>& cell);
  void find_moves();

  const ScaledMarket& market_;
  const std::vector<Corners>& corners_;
  CellSolver solver_;
  RangeCheck<PriceSimplex> ranges_;
  Hull hull_;
  std::vector<int> solved_{-1};  // the cell that optimum() speaks of; none yet
  std::vector<CellMove> moves_;  // from there,
  bool moves_known_ = false;     // once they have been asked for
  bool rough_ = false;           // whether it was to be rough
  double value_ = -kInfinity;
  std::int64_t cells_ = 0;
  std::int64_t iterations_ = 0;
};

}  // namespace kpm
