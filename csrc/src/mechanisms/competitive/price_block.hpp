// Makers whose conjugate is a sum over states, inside the interior-point method.
#pragma once

#include "mechanisms/competitive/maker_block.hpp"
#include "risk/maker_kinds.hpp"

namespace kpm {

/// State prices g on the simplex and slacks s with
///   L_i - 2c (g_i - pi_i) + s_i = t,     g_i s_i = delta_i  (+ tau w_i on the way)
/// where c is the quadratic maker's and delta the starting orders'; all zero for the worst state. A
/// log barrier is thus what the method puts on every maker's state prices, held at delta instead of
/// sent to zero. A utility maker is one with starting orders W pi for the W that makes
/// sum pi ln s = ln m: W is brought there after every step. Per state the step is one equation,
/// with t at its border:
///   dg = D (u + dL - dt),   D = 1 / (2c + s / g),   sum dg = 0.
/// A utility maker's W moves with it once it has come to rest between steps, by what leaves
/// sum dg = 0, which t then need not:
///   dg = (I - v 1') D (u + dL - dt),   dt = v.(u + dL),   v ~ pi / s.
/// By itself W converges linearly, and hardly at all with little wealth left. Farther away, where
/// products are more than the orders, the step would mistake them for orders.
/// O(N), and N logarithms for the utility maker.
class PriceBlock final : public MakerBlock {
 public:
  PriceBlock(const ScaledMaker& maker, const MakerFunction& cost, Arena& arena);

  void start(const ArrayView& loss, double tau, const Attempt& attempt) override;
  void update_residuals(const ArrayView& loss) override;
  Eigen::Index root_size() const override { return count_; }
  void root(const double* payoff, double* root) const override;
  void set_affine_rhs() override;
  void set_combined_rhs(double tau, bool second_order) override;
  void set_centering_rhs(double tau) override;
  void reduce() override;
  void recover_step(const ArrayView& dloss) override;
  double complementarity(double along) const override;
  double degree() const override { return 1.0; }
  double weighted_residual() const override { return residual_; }
  void ratio_test(double& inverse_step) const override;
  double shorten(double step, double /*tau_now*/, double /*tau_full*/) override { return step; }
  void advance(double step, const ArrayView& loss) override;
  const Slice& g() const override { return g_; }
  const Slice& step_g() const override { return step_g_; }
  double conjugate() override;
  void prepare_curvature() override;

 private:
  void set_orders();
  void find_orders();

  const MakerFunction& cost_;
  const Array& prior_;
  const PriceTerms terms_;
  const Eigen::Index count_;
  const double twice_;   // 2c
  bool moving_ = false;  // whether W is part of the step
  Slice g_, step_g_;
  Slice delta_, ddelta_;  // what the products end at
  Slice weight_;          // what tau adds on the way
  Slice s_, dg_, ds_, target_;
  Slice residuals_, flow_, root_flow_;  // r, D and its root
  Slice centre_, u_;                    // what dt is a mean by, and the step's known part
  double t_ = 0.0, dt_ = 0.0;
  double mass_ = 0.0;      // 1 - sum g
  double total_ = 1.0;     // sum D
  double shift_ = 0.0;     // dt for unchanged losses
  double residual_ = 0.0;  // money
};

}  // namespace kpm
