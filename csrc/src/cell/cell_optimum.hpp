// The solution of a cell.
#pragma once

#include "numerics/dense.hpp"

namespace kpm {

/// Optimal prices and demand of one cell, with the multipliers that prove them. Scaled units.
struct CellOptimum {
  Array state_prices;           ///< (states) xi
  Array demand;                 ///< (claims) y, within the corners' range
  Array multipliers;            ///< (claims) lambda of pi = P xi
  Array worst_case;             ///< (states) p
  Array marginal_state_prices;  ///< (states) g
  double divergence = 0.0;      ///< KL(g|p) / a
  double ambiguity_price = 0.0;
  double objective = 0.0;  ///< sum r - rho, prices within primal_residual
  double bound = 0.0;      ///< by the Donsker-Varadhan inequality
  double primal_residual = 0.0;
  double dual_residual = 0.0;
};

}  // namespace kpm
