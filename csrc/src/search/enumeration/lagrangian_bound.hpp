// A bound on every cell from the multipliers of one.
#pragma once

#include <algorithm>
#include <vector>

#include "cell/cell_optimum.hpp"
#include "search/enumeration/cell_grid.hpp"

namespace kpm {

/// For fixed (g, p, lambda) the dual bound (docs/theory.md) is a constant plus one score per claim
/// and piece: max over the piece's corners of  y (pi - P_k.g) + lambda_k pi.
class LagrangianBound {
 public:
  LagrangianBound(const CellGrid& grid, const CellOptimum& solution, const std::vector<int>& cell)
      : score_(static_cast<std::size_t>(grid.claims())),
        best_(static_cast<std::size_t>(grid.claims()) + 1, 0.0),
        constant_(solution.bound) {
    for (int k = 0; k < grid.claims(); ++k) {
      const auto at = static_cast<std::size_t>(k);
      const double value = grid.market.payoffs.row(k).dot(solution.marginal_state_prices.matrix());
      const double lambda = solution.multipliers[k];
      for (const Piece& piece : grid.pieces[at]) {
        score_[at].push_back(
            std::max(corner(piece.price_low, piece.demand_low, value, lambda),
                     std::max(corner(piece.price_high, piece.demand_high, value, lambda),
                              corner(piece.price_low, piece.demand_high, value, lambda))));
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
  /// On a flat demand is constant, on a step price is: three of the four corners cover both.
  static double corner(double price, double demand, double value, double lambda) {
    return demand * (price - value) + lambda * price;
  }

  std::vector<std::vector<double>> score_;
  std::vector<double> best_;  // (claims + 1) sum of the later claims' best scores
  double constant_;
};

}  // namespace kpm
