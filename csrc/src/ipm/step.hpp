// A step of the interior-point method, and complementarity along it.
#pragma once

namespace kpm {

/// How far the primal and the dual variables move along a direction.
struct Step {
  double primal = 0.0;
  double dual = 0.0;
};

/// A sum of complementarity products as a function of the step.
struct Products {
  double now = 0.0;
  double by_primal = 0.0;
  double by_dual = 0.0;
  double by_both = 0.0;

  double at(Step step) const {
    return now + step.primal * by_primal + step.dual * by_dual + step.primal * step.dual * by_both;
  }
};

}  // namespace kpm
