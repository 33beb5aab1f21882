// A tiny convex program: the least regret along the directions in which the optimum is not unique.
#pragma once

#include "numerics/checkpoint.hpp"
#include "numerics/dense.hpp"

namespace kpm {

/// Minimise  sum_k (target_k - y_k)_+^2 / below_k + (y_k - target_k)_+^2 / above_k
/// over y = start + directions t with  low <= y <= high  and  limits t <= room; or, where `rise` is
/// given, maximise rise.t instead, a linear program.
/// `start` must satisfy the constraints up to rounding. A primal-dual interior-point method with
/// a dense system in t; below_k or above_k may be 0 where y cannot lie on that side.
struct FaceProblem {
  Array start, low, high, target, below, above;  // (m)
  Matrix directions;                             // (m, d)
  Matrix limits;                                 // (r, d)
  Array room;                                    // (r) >= 0
  Vector rise;                                   // (d), or empty
};

/// `checkpoint`, if any, is passed at each iteration.
Array project_on_face(const FaceProblem& problem, Checkpoint* checkpoint = nullptr);

}  // namespace kpm
