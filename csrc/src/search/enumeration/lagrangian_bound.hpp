// A bound on every cell from the multipliers of one.
#pragma once

#include <algorithm>
#include <vector>

#include "cell/cell_optimum.hpp"
#include "risk/dual_bound.hpp"
#include "search/enumeration/cell_grid.hpp"

namespace kpm {

/// For fixed (g, p, lambda) the dual bound (docs/theory.md) is a constant plus one score per claim
/// and piece: the worth of its better corner.
class LagrangianBound {
 public:
  LagrangianBound(const CellGrid& grid, const CellOptimum& solution, const std::vector<int>& cell)
      : score_(static_cast<std::size_t>(grid.claims())),
        best_(static_cast<std::size_t>(grid.claims()) + 1, 0.0),
        constant_(solution.bound) {
    const Multipliers multipliers =
        multipliers_of(grid.market, solution.worst_case, solution.marginal_state_prices,
                       solution.multipliers, solution.divergence);
    for (int k = 0; k < grid.claims(); ++k) {
      const auto at = static_cast<std::size_t>(k);
      for (int piece = 0; piece < grid.pieces(k); ++piece) {
        score_[at].push_back(multipliers.most(k, grid.corners[at], piece, piece));
      }
      constant_ -= score_[at][static_cast<std::size_t>(cell[at])];
    }
    for (int k = grid.claims() - 1; k >= 0; --k) {
      const auto at = static_cast<std::size_t>(k);
      best_[at] = best_[at + 1] + *std::max_element(score_[at].begin(), score_[at].end());
    }
  }

  double score(int claim, int piece) const {
    return score_[static_cast<std::size_t>(claim)][static_cast<std::size_t>(piece)];
  }

  /// Bound of all cells whose first `level` claims score `prefix` together.
  double bound(int level, double prefix) const {
    return constant_ + prefix + best_[static_cast<std::size_t>(level)];
  }

 private:
  std::vector<std::vector<double>> score_;
  std::vector<double> best_;  // (claims + 1) sum of the later claims' best scores
  double constant_;
};

}  // namespace kpm
