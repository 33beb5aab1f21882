#include "search/neighbour_search.hpp"

#include <algorithm>

#include "risk/dual_bound.hpp"
#include "search/curved_worth.hpp"

namespace kpm {

namespace {

constexpr int kMostCells = 8;      // tried before one is better
constexpr double kBetter = 1e-9;   // than the clearing that they are neighbours of
constexpr std::size_t kFewer = 4;  // moves are made at once, each time that they are not better
constexpr int kFarthest = 2;       // pieces away: from a flat over a step to the next flat

}  // namespace

NeighbourSearch::NeighbourSearch(const ScaledMarket& market, const std::vector<Corners>& corners,
                                 Arena& arena, Checkpoint& checkpoint, LocalSearch& cells)
    : market_(market), corners_(corners), cells_(cells), ranges_(market, arena, &checkpoint) {}

double NeighbourSearch::run(const Candidate& from, std::vector<Candidate>& found) {
  Candidate best = from;
  while (best.optimum) {
    find_moves(best);
    if (!try_together(best, found) && !try_moves(best, found)) {
      break;
    }
    best = found.back();
  }
  cells_.forget();
  return best.value;
}

/// Under the multipliers of a cell's optimum no trade in the cell is worth more than the optimum's,
/// and a neighbour is better by no more than the best of its piece is worth above that. With the
/// curvature, where it is known, that is what promises most.
void NeighbourSearch::find_moves(const Candidate& from) {
  const CellOptimum& optimum = *from.optimum;
  const Multipliers multipliers =
      multipliers_of(market_, optimum.worst_case, optimum.marginal_state_prices,
                     optimum.multipliers, optimum.divergence);
  const CurvedWorth curved(market_, multipliers, optimum.ambiguity_price);
  moves_.clear();
  together_.clear();
  if (market_.disjoint.disjoint() && !curved.is_known()) {
    return;  // at a kink moves promise too much: hardly any of them is better
  }
  for (int k = 0; k < market_.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const Corners& corners = corners_[at];
    const double price = market_.payoffs.row(k).dot(optimum.state_prices.matrix());
    const double demand = optimum.demand[k];
    const double now = multipliers.worth(k, price, demand);
    const int first = std::max(from.cell[at] - kFarthest, 0);
    const int last = std::min(from.cell[at] + kFarthest, corners.pieces() - 1);
    CellMove best{k, from.cell[at], kBetter};
    for (int piece = first; piece <= last; ++piece) {
      const double gain = curved.most(k, corners, piece, demand) - now;
      if (piece != from.cell[at] && gain > kBetter) {
        moves_.push_back({k, piece, gain});
        best = gain > best.priority ? moves_.back() : best;
      }
    }
    if (curved.is_known() && best.piece != from.cell[at]) {
      together_.push_back(best);
    }
  }
  sort_by_priority(moves_);
  sort_by_priority(together_);
}

/// Whether all claims with something to gain, or the few with most, gain it at once: the clearing
/// is the last one found then.
bool NeighbourSearch::try_together(const Candidate& from, std::vector<Candidate>& found) {
  for (; together_.size() > 1; together_.resize(together_.size() / kFewer)) {
    std::vector<int> cell = from.cell;
    if (cells_.apply_moves(cell, together_) &&
        cells_.solve(cell, found, true) > from.value + kBetter) {
      return true;
    }
  }
  return false;
}

/// Whether a neighbour is better; it is the last one found then.
bool NeighbourSearch::try_moves(const Candidate& from, std::vector<Candidate>& found) {
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
