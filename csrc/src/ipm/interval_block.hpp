// Variables between two bounds inside the interior-point method.
#pragma once

#include <algorithm>
#include <cmath>

#include "numerics/dense.hpp"

namespace kpm {

/// How far the primal and the dual variables move along a direction.
struct Step {
  double primal = 0.0;
  double dual = 0.0;
};

/// x_j = low_j + width_j v1_j with weights v0, v1 >= 0 that add up to one, priced at cost_j:
///   z1 - z0 = width cost,   z >= 0,   v z -> 0.
/// A Newton step is condensed to  dx = step - spread dcost  with spread >= 0. Complementarity is
/// weighted by share_j, the interval's part of all widths: one that hardly matters is resolved no
/// finer than it matters.
class IntervalBlock {
 public:
  explicit IntervalBlock(int capacity)
      : x(capacity), cost(capacity), spread(capacity), step(capacity), dcost(capacity) {
    for (Array* array : {&low_, &width_, &share_, &v0_, &v1_, &z0_, &z1_, &dv0_, &dv1_, &dz0_,
                         &dz1_, &target0_, &target1_, &k0_, &k1_, &rz_}) {
      array->setZero(capacity);
    }
    for (Array* array : {&x, &cost, &spread, &step, &dcost}) {
      array->setZero();
    }
  }

  int size() const { return size_; }
  double weight() const { return size_ > 0 ? 1.0 : 0.0; }
  double total_width() const { return total_width_; }

  void clear() {
    size_ = 0;
    total_width_ = 0.0;
  }

  void add(double low, double width) {
    low_[size_] = low;
    width_[size_] = width;
    total_width_ += width;
    ++size_;
  }

  /// The middle of every interval.
  void start(double tau) {
    for (int j = 0; j < size_; ++j) {
      share_[j] = width_[j] / total_width_;
      v0_[j] = v1_[j] = 0.5;
      z0_[j] = z1_[j] = tau * share_[j];
      dv0_[j] = dv1_[j] = dz0_[j] = dz1_[j] = 0.0;  // nothing of an earlier cell's last step
    }
    refresh();
  }

  /// Residuals and the condensed matrix for the current cost.
  void factor() {
    dual_residual = 0.0;
    for (int j = 0; j < size_; ++j) {
      rz_[j] = (z1_[j] - z0_[j]) - width_[j] * cost[j];
      dual_residual = std::max(dual_residual, std::abs(rz_[j]));
      // d0 d1 / (d0 + d1) with d = v / z.
      spread[j] = width_[j] * width_[j] * (v0_[j] * v1_[j] / (v0_[j] * z1_[j] + v1_[j] * z0_[j]));
    }
  }

  void target_predictor() {
    for (int j = 0; j < size_; ++j) {
      target0_[j] = -v0_[j] * z0_[j];
      target1_[j] = -v1_[j] * z1_[j];
    }
  }

  void target_corrector(double tau) {
    for (int j = 0; j < size_; ++j) {
      const double product = 0.5 * tau * share_[j];
      target0_[j] = product - v0_[j] * z0_[j] - dv0_[j] * dz0_[j];
      target1_[j] = product - v1_[j] * z1_[j] - dv1_[j] * dz1_[j];
    }
  }

  void target_centre(double tau) {
    for (int j = 0; j < size_; ++j) {
      target0_[j] = 0.5 * tau * share_[j] - v0_[j] * z0_[j];
      target1_[j] = 0.5 * tau * share_[j] - v1_[j] * z1_[j];
    }
  }

  /// The part of the step that does not depend on dcost.
  void condense() {
    for (int j = 0; j < size_; ++j) {
      const double d0 = v0_[j] / z0_[j];
      const double d1 = v1_[j] / z1_[j];
      k0_[j] = target0_[j] / z0_[j] - (1.0 - v0_[j] - v1_[j]);
      k1_[j] = target1_[j] / z1_[j] + d1 * rz_[j];
      step[j] = width_[j] * ((k1_[j] * d0 - k0_[j] * d1) / (d0 + d1));
    }
  }

  /// Recover dv and dz from dcost.
  void expand() {
    for (int j = 0; j < size_; ++j) {
      const double d0 = v0_[j] / z0_[j];
      const double d1 = v1_[j] / z1_[j];
      const double slope = width_[j] * dcost[j];
      dz0_[j] = (k0_[j] + k1_[j] - d1 * slope) / (d0 + d1);
      dz1_[j] = dz0_[j] + slope - rz_[j];
      dv0_[j] = target0_[j] / z0_[j] - d0 * dz0_[j];
      dv1_[j] = target1_[j] / z1_[j] - d1 * dz1_[j];
    }
  }

  double complementarity(Step along) const {
    double sum = 0.0;
    for (int j = 0; j < size_; ++j) {
      sum += (v0_[j] + along.primal * dv0_[j]) * (z0_[j] + along.dual * dz0_[j]) +
             (v1_[j] + along.primal * dv1_[j]) * (z1_[j] + along.dual * dz1_[j]);
    }
    return sum;
  }

  /// Raise `steepest` to the greatest relative decrease per unit step.
  void steepest(Step& steepest) const {
    for (int j = 0; j < size_; ++j) {
      steepest.primal = std::max({steepest.primal, -dv0_[j] / v0_[j], -dv1_[j] / v1_[j]});
      steepest.dual = std::max({steepest.dual, -dz0_[j] / z0_[j], -dz1_[j] / z1_[j]});
    }
  }

  void advance(Step along) {
    for (int j = 0; j < size_; ++j) {
      v0_[j] += along.primal * dv0_[j];
      v1_[j] += along.primal * dv1_[j];
      z0_[j] += along.dual * dz0_[j];
      z1_[j] += along.dual * dz1_[j];
    }
    refresh();
  }

  double low(int j) const { return low_[j]; }
  double high(int j) const { return low_[j] + width_[j]; }

  Array x;       ///< the variables
  Array cost;    ///< set by the owner before factor()
  Array spread;  ///< -dx / dcost
  Array step;    ///< dx for an unchanged cost
  Array dcost;   ///< set by the owner before expand()
  double dual_residual = 0.0;

 private:
  void refresh() {
    for (int j = 0; j < size_; ++j) {
      x[j] = low_[j] + width_[j] * v1_[j];
    }
  }

  int size_ = 0;
  double total_width_ = 0.0;
  Array low_, width_, share_;
  Array v0_, v1_, z0_, z1_, dv0_, dv1_, dz0_, dz1_;
  Array target0_, target1_, k0_, k1_, rz_;
};

}  // namespace kpm
