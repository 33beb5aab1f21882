#include "search/neighbour_search.hpp"

#include <algorithm>

#include "risk/dual_bound.hpp"

namespace kpm {

namespace {

constexpr int kMostCells = 8;     // tried before one is better: a quarter of a relaxation's time
constexpr double kBetter = 1e-9;  // than the clearing that they are neighbours of
constexpr int kFarthest = 2;      // pieces away: from a flat over a step to the next flat

}  // namespace

NeighbourSearch::NeighbourSearch(const ScaledMarket& market, const std::vector<Corners>& corners,
                                 Arena& arena, Checkpoint& checkpoint, LocalSearch& cells)
    : market_(market), corners_(corners), cells_(cells), ranges_(market, arena, &checkpoint) {}

double NeighbourSearch::run(const Candidate& from, std::vector<Candidate>& found) {
  Candidate best = from;
  while (best.optimum && try_moves(best, found)) {
    best = found.back();
  }
  cells_.forget();
  return best.value;
}

/// Under the multipliers of a cell's optimum no trade in the cell is worth more than the optimum's.
/// A neighbour is better by no more than the better corner of its piece is worth above that.
void NeighbourSearch::find_moves(const Candidate& from) {
  const CellOptimum& optimum = *from.optimum;
  const Multipliers multipliers =
      multipliers_of(market_, optimum.worst_case, optimum.marginal_state_prices,
                     optimum.multipliers, optimum.divergence);
  moves_.clear();
  for (int k = 0; k < market_.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const Corners& corners = corners_[at];
    const double price = market_.payoffs.row(k).dot(optimum.state_prices.matrix());
    const double worth = multipliers.worth(k, price, optimum.demand[k]);
    const int first = std::max(from.cell[at] - kFarthest, 0);
    const int last = std::min(from.cell[at] + kFarthest, corners.pieces() - 1);
    for (int piece = first; piece <= last; ++piece) {
      const double gain = multipliers.most(k, corners, piece, piece) - worth;
      if (piece != from.cell[at] && gain > kBetter) {
        moves_.push_back({k, piece, gain});
      }
    }
  }
  sort_by_priority(moves_);
}

/// Whether a neighbour is better; it is the last one found then.
bool NeighbourSearch::try_moves(const Candidate& from, std::vector<Candidate>& found) {
  find_moves(from);
  ranges_.reset();
  ranges_.set_ranges(corners_, from.cell);
  std::vector<int> cell = from.cell;
  int tried = 0;
  for (std::size_t n = 0; n < moves_.size() && tried < kMostCells; ++n) {
    const CellMove& move = moves_[n];
    const auto claim = static_cast<std::size_t>(move.claim);
    int& piece = cell[claim];
    const int before = piece;
    ranges_.set_range(move.claim, corners_[claim], move.piece, move.piece);
    if (ranges_.feasible()) {
      ++tried;
      piece = move.piece;
      if (cells_.solve(cell, found, true) > from.value + kBetter) {
        return true;
      }
      piece = before;
    }
    ranges_.set_range(move.claim, corners_[claim], before, before);
  }
  return false;
}

}  // namespace kpm
