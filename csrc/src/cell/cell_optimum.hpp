// The solution of a cell.
#pragma once

#include <utility>

#include "kpm/kpm.hpp"
#include "numerics/arena.hpp"
#include "numerics/dense.hpp"

namespace kpm {

/// What is one number of a cell's solution. Scaled units.
struct CellFigures {
  double divergence = 0.0;  ///< KL(g|p) / a
  double ambiguity_price = 0.0;
  double objective = 0.0;   ///< sum r - rho, prices within primal_residual
  double risk = kInfinity;  ///< rho of the demand, if it is at hand
  double bound = 0.0;       ///< by the Donsker-Varadhan inequality
  double primal_residual = 0.0;
  double dual_residual = 0.0;
};

/// Optimal prices and demand of one cell, with the multipliers that prove them. Scaled units. One
/// allocation: a search keeps the solution of every cell.
struct CellOptimum : CellFigures {
  CellOptimum(Eigen::Index states, Eigen::Index claims)
      : CellOptimum(CellFigures(), Array(3 * states + 2 * claims), states, claims) {}
  CellOptimum(const CellOptimum& other)
      : CellOptimum(other, other.memory_, other.state_prices.size(), other.demand.size()) {}
  /// Of a cell of the same market.
  CellOptimum& operator=(const CellOptimum& other) {
    CellFigures::operator=(other);
    memory_ = other.memory_;
    return *this;
  }
  ~CellOptimum() = default;

 private:
  CellOptimum(const CellFigures& figures, Array memory, Eigen::Index states, Eigen::Index claims)
      : CellFigures(figures),
        memory_(std::move(memory)),
        state_prices(memory_.data(), states),
        worst_case(memory_.data() + states, states),
        marginal_state_prices(memory_.data() + 2 * states, states),
        demand(memory_.data() + 3 * states, claims),
        multipliers(memory_.data() + 3 * states + claims, claims) {}

  Array memory_;

 public:
  Slice state_prices;           ///< (states) xi
  Slice worst_case;             ///< (states) p
  Slice marginal_state_prices;  ///< (states) g
  Slice demand;                 ///< (claims) y, within the corners' range
  Slice multipliers;            ///< (claims) lambda of pi = P xi
};

}  // namespace kpm
