// Variables between two bounds inside the interior-point method.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "numerics/arena.hpp"

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

/// x_j = low_j + width_j v1_j with weights v0, v1 >= 0 that add up to one, priced at cost_j:
///   z1 - z0 = width cost,   z >= 0,   v z -> 0.
/// A Newton step is condensed to  dx = step - spread dcost  with spread >= 0. Complementarity is
/// weighted by share_j, the interval's part of all widths: one that hardly matters is resolved no
/// finer than it matters.
class IntervalBlock {
  Arena arena_;

 public:
  explicit IntervalBlock(int capacity)
      : arena_(Eigen::Index{5} * capacity),
        x(arena_.take(capacity)),
        cost(arena_.take(capacity)),
        spread(arena_.take(capacity)),
        step(arena_.take(capacity)),
        dcost(arena_.take(capacity)),
        intervals_(static_cast<std::size_t>(capacity)) {}

  int size() const { return size_; }
  double weight() const { return size_ > 0 ? 1.0 : 0.0; }
  double total_width() const { return total_width_; }

  void clear() {
    size_ = 0;
    total_width_ = 0.0;
  }

  void add(double low, double width) {
    Interval& added = intervals_[static_cast<std::size_t>(size_)];
    added.low = low;
    added.width = width;
    total_width_ += width;
    ++size_;
  }

  /// The middle of every interval.
  void start(double tau) {
    for (int j = 0; j < size_; ++j) {
      Interval& at = interval(j);
      at.share = at.width / total_width_;
      at.v0 = at.v1 = 0.5;
      at.z0 = at.z1 = tau * at.share;
      at.dv0 = at.dv1 = at.dz0 = at.dz1 = 0.0;  // nothing of an earlier cell's last step
    }
    refresh();
  }

  /// Towards the central path at `tau` for the current cost, but no weight below `edge`.
  void lean(double tau, double edge) {
    for (int j = 0; j < size_; ++j) {
      Interval& at = interval(j);
      // tau / 2 (1 / v1 - 1 / v0) = width cost with v0 + v1 = 1.
      const double slope = 2.0 * at.width * cost[j] / (tau * at.share);
      const double v1 = 0.5 - 0.25 * slope / (1.0 + std::sqrt(1.0 + 0.25 * slope * slope));
      at.v1 = std::clamp(v1, edge, 1.0 - edge);
      at.v0 = 1.0 - at.v1;
      at.z0 = 0.5 * tau * at.share / at.v0;
      at.z1 = 0.5 * tau * at.share / at.v1;
    }
    refresh();
  }

  /// Residuals and the condensed matrix for the current cost.
  void measure() {
    dual_residual = 0.0;
    products_ = {};
    for (int j = 0; j < size_; ++j) {
      Interval& at = interval(j);
      at.rz = (at.z1 - at.z0) - at.width * cost[j];
      dual_residual = std::max(dual_residual, std::abs(at.rz));
      at.inverse_z0 = 1.0 / at.z0;
      at.inverse_z1 = 1.0 / at.z1;
      at.d0 = at.v0 * at.inverse_z0;
      at.d1 = at.v1 * at.inverse_z1;
      at.inverse_d = 1.0 / (at.d0 + at.d1);
      // d0 d1 / (d0 + d1) with d = v / z.
      spread[j] = at.width * at.width * (at.v0 * at.v1 / (at.v0 * at.z1 + at.v1 * at.z0));
      products_.now += at.v0 * at.z0 + at.v1 * at.z1;
    }
  }

  // Targets of the products less the products, over z.

  void target_predictor() {
    for (int j = 0; j < size_; ++j) {
      Interval& at = interval(j);
      at.target0 = -at.v0;
      at.target1 = -at.v1;
    }
  }

  void target_corrector(double tau) {
    for (int j = 0; j < size_; ++j) {
      Interval& at = interval(j);
      const double product = 0.5 * tau * at.share;
      at.target0 = (product - at.dv0 * at.dz0) * at.inverse_z0 - at.v0;
      at.target1 = (product - at.dv1 * at.dz1) * at.inverse_z1 - at.v1;
    }
  }

  void target_centre(double tau) {
    for (int j = 0; j < size_; ++j) {
      Interval& at = interval(j);
      at.target0 = 0.5 * tau * at.share * at.inverse_z0 - at.v0;
      at.target1 = 0.5 * tau * at.share * at.inverse_z1 - at.v1;
    }
  }

  /// The part of the step that does not depend on dcost.
  void condense() {
    for (int j = 0; j < size_; ++j) {
      Interval& at = interval(j);
      at.k0 = at.target0 - (1.0 - at.v0 - at.v1);
      at.k1 = at.target1 + at.d1 * at.rz;
      step[j] = at.width * ((at.k1 * at.d0 - at.k0 * at.d1) * at.inverse_d);
    }
  }

  /// Recover dv and dz from dcost.
  void expand() {
    products_.by_primal = products_.by_dual = products_.by_both = 0.0;
    steepest_ = {};
    for (int j = 0; j < size_; ++j) {
      Interval& at = interval(j);
      const double slope = at.width * dcost[j];
      at.dz0 = (at.k0 + at.k1 - at.d1 * slope) * at.inverse_d;
      at.dz1 = at.dz0 + slope - at.rz;
      at.dv0 = at.target0 - at.d0 * at.dz0;
      at.dv1 = at.target1 - at.d1 * at.dz1;
      products_.by_primal += at.dv0 * at.z0 + at.dv1 * at.z1;
      products_.by_dual += at.v0 * at.dz0 + at.v1 * at.dz1;
      products_.by_both += at.dv0 * at.dz0 + at.dv1 * at.dz1;
      steepest_.primal = std::max({steepest_.primal, -at.dv0 / at.v0, -at.dv1 / at.v1});
      steepest_.dual = std::max({steepest_.dual, -at.dz0 * at.inverse_z0, -at.dz1 * at.inverse_z1});
    }
  }

  /// Sum of the products along the direction; before there is one, now.
  double complementarity(Step along) const { return products_.at(along); }

  /// Raise `steepest` to the greatest relative decrease per unit step.
  void steepest(Step& steepest) const {
    steepest.primal = std::max(steepest.primal, steepest_.primal);
    steepest.dual = std::max(steepest.dual, steepest_.dual);
  }

  void advance(Step along) {
    for (int j = 0; j < size_; ++j) {
      Interval& at = interval(j);
      at.v0 += along.primal * at.dv0;
      at.v1 += along.primal * at.dv1;
      at.z0 += along.dual * at.dz0;
      at.z1 += along.dual * at.dz1;
    }
    refresh();
  }

  double low(int j) const { return interval(j).low; }
  double high(int j) const { return interval(j).low + interval(j).width; }

  double* const x;       ///< the variables
  double* const cost;    ///< set by the owner before measure()
  double* const spread;  ///< -dx / dcost
  double* const step;    ///< dx for an unchanged cost
  double* const dcost;   ///< set by the owner before expand()
  double dual_residual = 0.0;

 private:
  /// One record an interval: everything about it lies in two or three cache lines.
  struct Interval {
    double low, width, share;
    double v0, v1, z0, z1, dv0, dv1, dz0, dz1;
    double target0, target1, k0, k1, rz;
    double inverse_z0, inverse_z1, d0, d1, inverse_d;
  };

  Interval& interval(int j) { return intervals_[static_cast<std::size_t>(j)]; }
  const Interval& interval(int j) const { return intervals_[static_cast<std::size_t>(j)]; }

  void refresh() {
    for (int j = 0; j < size_; ++j) {
      x[j] = interval(j).low + interval(j).width * interval(j).v1;
    }
  }

  int size_ = 0;
  double total_width_ = 0.0;
  std::vector<Interval> intervals_;
  Products products_;
  Step steepest_;
};

}  // namespace kpm
