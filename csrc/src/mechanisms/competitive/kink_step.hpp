// Newton's step at a kink of the maker's cost.
#pragma once

#include "numerics/dense.hpp"

namespace kpm {

/// Functions that tie, and claims on steps, at a point that is to become their kink: where the
/// functions cost the same, and a mixture of their gradients prices the claims at their limits.
struct KinkResidual {
  Matrix values;      ///< (claims, functions) what each function's gradient prices the claims at
  Matrix curvature;   ///< (claims, claims) of the mixture's cost; empty where functions are linear
  Vector missing;     ///< (claims) limits less prices
  bool mixed = true;  ///< whether weights are looked for: a ball of priors has any near its middle
  double unmixed = 0.0;  ///< one less the sum of the weights
  Vector apart;          ///< (functions) the common cost less each one's

  double largest() const;
};

struct KinkStep {
  Vector demand;       ///< (claims)
  Vector weight;       ///< (functions), or empty
  double level = 0.0;  ///< of the common cost

  double largest() const;
};

/// The least change that leaves nothing of the residual, or as little as there can be. Where no
/// function curves, weights and demand do not depend on each other: O(claims^2 functions).
KinkStep kink_step(const KinkResidual& residual);

/// Operations that it takes.
double operations_of_kink_step(double claims, double functions, bool curved);

}  // namespace kpm
