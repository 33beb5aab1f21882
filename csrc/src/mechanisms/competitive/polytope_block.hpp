// A maker with a polytope of priors inside the interior-point method.
#pragma once

#include "mechanisms/competitive/maker_block.hpp"
#include "mechanisms/competitive/maker_function.hpp"

namespace kpm {

/// The largest of a log-sum-exp a vertex: weights v and slacks z of the vertices with
///   t - C_v(L) = z_v,   sum v = 1,   v z -> 0,    g = sum v g_v,  g_v the gradient of C_v.
/// The risk aversion is less on the way: 1/a grows by tau, so that no exponential is steeper than
/// the products are coarse. O(V N) exponentials an iteration, V N roots a claim.
class PolytopeBlock final : public MakerBlock {
 public:
  PolytopeBlock(const ScaledMaker& maker, Arena& arena);

  void start(const ArrayView& loss, double tau, double entropy_share) override;
  void update_residuals(const ArrayView& loss) override;
  Eigen::Index root_size() const override { return count_ * vertices_ + vertices_; }
  void root(const double* payoff, double* root) const override;
  void set_affine_rhs() override;
  void set_combined_rhs(double tau, bool second_order) override;
  void set_centering_rhs(double tau) override;
  void reduce() override;
  void recover_step(const ArrayView& dloss) override;
  double complementarity(double along) const override;
  double degree() const override { return 1.0; }
  double weighted_residual() const override { return residual_; }
  void ratio_test(double& steepest) const override;
  double shorten(double step, double /*tau_now*/, double /*tau_full*/) override { return step; }
  void advance(double step, const ArrayView& loss) override;
  const Slice& g() const override { return g_; }
  const Slice& step_g() const override { return step_g_; }
  double conjugate() const override;
  void write_worst_case(Array& p) const override { p = worst_case(); }
  void write_weights(Array& weights) const override { weights = v_ / v_.sum(); }

 private:
  void evaluate(const ArrayView& loss, double tau);
  Array worst_case() const;

  const ScaledMaker& maker_;
  const Eigen::Index count_, vertices_;
  Slice g_, step_g_;
  Slice cost_, v_, z_, dv_, dz_, target_, rz_, u_, pull_;  // (vertices)
  MatrixSlice gradient_;                                   // (vertices, states)
  Slice mean_;                                             // (states) of the gradients by v / z
  double a_ = 0.0;                                         // the risk aversion at hand
  double t_ = 0.0, dt_ = 0.0, shift_ = 0.0, total_ = 1.0, mass_ = 0.0, residual_ = 0.0;
};

}  // namespace kpm
