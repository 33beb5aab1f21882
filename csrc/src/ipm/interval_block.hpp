// Variables between two bounds inside the interior-point method.
#pragma once

#include <algorithm>
#include <cmath>

#include "ipm/step.hpp"
#include "numerics/arena.hpp"
#include "numerics/pair.hpp"

namespace kpm {

/// x_j = low_j + width_j v1_j with weights v0, v1 >= 0 that add up to one, priced at cost_j:
///   z1 - z0 = width cost,   z >= 0,   v z -> 0.
/// A Newton step is reduced to  dx = step - spread dcost  with spread >= 0. Complementarity is
/// weighted by share_j, the interval's part of all widths: a narrow one is resolved no more finely
/// than it matters.
class IntervalBlock {
 public:
  IntervalBlock(int capacity, Arena& arena)
      : x(arena.span<double>(capacity)),
        cost(arena.span<double>(capacity)),
        spread(arena.span<double>(capacity)),
        step(arena.span<double>(capacity)),
        dcost(arena.span<double>(capacity)),
        intervals_(arena.span<Interval>(capacity)) {}

  int size() const { return size_; }
  double degree() const { return size_ > 0 ? 1.0 : 0.0; }
  double total_width() const { return total_width_; }

  void clear() {
    size_ = 0;
    total_width_ = 0.0;
  }

  void add(double low, double width) {
    Interval& added = intervals_[size_];
    added.low = low;
    added.width = width;
    total_width_ += width;
    ++size_;
  }

  /// The middle of every interval.
  void start(double tau) {
    for (int j = 0; j < size_; ++j) {
      Interval& interval = intervals_[j];
      interval.share = interval.width / total_width_;
      interval.v.setConstant(0.5);
      interval.z.setConstant(tau * interval.share);
      interval.dv.setZero();  // nothing of an earlier cell's last step
      interval.dz.setZero();
    }
    refresh();
  }

  /// Towards the central path at `tau` for the current cost, but no weight below `edge`.
  void move_toward_central_path(double tau, double edge) {
    for (int j = 0; j < size_; ++j) {
      Interval& interval = intervals_[j];
      // tau / 2 (1 / v1 - 1 / v0) = width cost with v0 + v1 = 1.
      const double slope = 2.0 * interval.width * cost[j] / (tau * interval.share);
      const double v1 = 0.5 - 0.25 * slope / (1.0 + std::sqrt(1.0 + 0.25 * slope * slope));
      const double kept = std::clamp(v1, edge, 1.0 - edge);
      interval.v = {1.0 - kept, kept};
      interval.z = 0.5 * tau * interval.share / interval.v;
    }
    refresh();
  }

  /// Residuals and the reduced matrix for the current cost.
  void update_residuals() {
    double largest = 0.0;
    Pair products(0.0, 0.0);
    for (int j = 0; j < size_; ++j) {
      Interval& interval = intervals_[j];
      const Pair v = interval.v;
      const Pair z = interval.z;
      const double width = interval.width;
      interval.rz = (z[1] - z[0]) - width * cost[j];
      largest = std::max(largest, std::abs(interval.rz));
      const Pair inverse_z = 1.0 / z;
      const Pair d = v * inverse_z;
      interval.inverse_z = inverse_z;
      interval.d = d;
      interval.inverse_d = 1.0 / d.sum();
      // d0 d1 / (d0 + d1) with d = v / z.
      spread[j] = width * width * (v[0] * v[1] / (v[0] * z[1] + v[1] * z[0]));
      products += v * z;
    }
    dual_residual = largest;
    products_ = {products.sum(), 0.0, 0.0, 0.0};
  }

  // Targets of the products less the products, over z.

  void set_affine_rhs() {
    for (int j = 0; j < size_; ++j) {
      Interval& interval = intervals_[j];
      interval.target = -interval.v;
    }
  }

  void set_combined_rhs(double tau) {
    for (int j = 0; j < size_; ++j) {
      Interval& interval = intervals_[j];
      interval.target =
          (0.5 * tau * interval.share - interval.dv * interval.dz) * interval.inverse_z -
          interval.v;
    }
  }

  void set_centering_rhs(double tau) {
    for (int j = 0; j < size_; ++j) {
      Interval& interval = intervals_[j];
      interval.target = 0.5 * tau * interval.share * interval.inverse_z - interval.v;
    }
  }

  /// The part of the step that does not depend on dcost.
  void reduce() {
    for (int j = 0; j < size_; ++j) {
      Interval& interval = intervals_[j];
      const Pair d = interval.d;
      interval.k = {interval.target[0] - (1.0 - interval.v.sum()),
                    interval.target[1] + d[1] * interval.rz};
      step[j] =
          interval.width * ((interval.k[1] * d[0] - interval.k[0] * d[1]) * interval.inverse_d);
    }
  }

  /// Recover dv and dz from dcost.
  void recover_step() {
    Pair by_primal(0.0, 0.0);
    Pair by_dual(0.0, 0.0);
    Pair by_both(0.0, 0.0);
    Pair primal(0.0, 0.0);
    Pair dual(0.0, 0.0);
    for (int j = 0; j < size_; ++j) {
      Interval& interval = intervals_[j];
      const double slope = interval.width * dcost[j];
      const double dz0 = (interval.k.sum() - interval.d[1] * slope) * interval.inverse_d;
      const Pair dz(dz0, dz0 + slope - interval.rz);
      const Pair dv = interval.target - interval.d * dz;
      by_primal += dv * interval.z;
      by_dual += interval.v * dz;
      by_both += dv * dz;
      primal = primal.max(-dv / interval.v);
      dual = dual.max(-dz * interval.inverse_z);
      interval.dv = dv;
      interval.dz = dz;
    }
    products_ = {products_.now, by_primal.sum(), by_dual.sum(), by_both.sum()};
    inverse_step_ = {primal.maxCoeff(), dual.maxCoeff()};
  }

  /// Sum of the products along the direction; before there is one, now.
  double complementarity(Step along) const { return products_.at(along); }

  /// Raise `inverse_step` to the greatest relative decrease per unit step.
  void ratio_test(Step& inverse_step) const {
    inverse_step.primal = std::max(inverse_step.primal, inverse_step_.primal);
    inverse_step.dual = std::max(inverse_step.dual, inverse_step_.dual);
  }

  void advance(Step along) {
    for (int j = 0; j < size_; ++j) {
      Interval& interval = intervals_[j];
      interval.v += along.primal * interval.dv;
      interval.z += along.dual * interval.dz;
    }
    refresh();
  }

  double low(int j) const { return intervals_[j].low; }
  double high(int j) const { return intervals_[j].low + intervals_[j].width; }

  Span<double> x;       ///< the variables
  Span<double> cost;    ///< set by the owner before update_residuals()
  Span<double> spread;  ///< -dx / dcost
  Span<double> step;    ///< dx for an unchanged cost
  Span<double> dcost;   ///< set by the owner before recover_step()
  double dual_residual = 0.0;

 private:
  /// One record an interval: everything about it lies in a few cache lines. A pair is about the
  /// low end and the high end.
  struct Interval {
    Pair v, z, dv, dz;
    Pair target, k, inverse_z, d;
    double low, width, share, rz, inverse_d;
  };

  void refresh() {
    for (int j = 0; j < size_; ++j) {
      x[j] = intervals_[j].low + intervals_[j].width * intervals_[j].v[1];
    }
  }

  int size_ = 0;
  double total_width_ = 0.0;
  Span<Interval> intervals_;
  Products products_;
  Step inverse_step_;
};

}  // namespace kpm
