// The two systems of an interior-point step, where the structure of payoffs spares the matrices.
#pragma once

#include "book/scaled_market.hpp"
#include "ipm/risk_block.hpp"
#include "numerics/arena.hpp"

namespace kpm {

/// The two coupled systems of a step,
///   (alone + P (Xi - xi xi' / sum) P') x + b e = r,      -b x + (1 + s H s) e = f,
/// with H = P (dg/dL) P', and one number per claim in alone >= 0, b and s >= 0. O(N + K) to factor
/// and to solve.
class StepSystem {
 public:
  virtual ~StepSystem() = default;

  /// For the risk block's current point, with one weight per state in Xi.
  virtual void factor(const Slice& weight, const Slice& alone, const Slice& slope,
                      const Slice& scale) = 0;

  /// (x, e) := the solution for the right-hand sides (x, e).
  virtual void solve_in_place(Slice& x, Slice& e) = 0;

  /// out := H y.
  virtual void apply(const Slice& y, Slice& out) = 0;

  /// The diagonal of 1 + s H s.
  virtual double diagonal(Eigen::Index claim) const = 0;
};

}  // namespace kpm
