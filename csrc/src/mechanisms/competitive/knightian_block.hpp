// The Knightian maker inside the interior-point method of the convex rules.
#pragma once

#include "ipm/risk_block.hpp"
#include "mechanisms/competitive/maker_block.hpp"

namespace kpm {

/// RiskBlock, which the relaxations and cells of `maker_optimal` share.
class KnightianBlock final : public MakerBlock {
 public:
  KnightianBlock(const ScaledMarket& market, Arena& arena) : risk_(market, arena) {}

  void start(const ArrayView& loss, double tau, const Attempt& attempt) override {
    risk_.start(loss, tau, attempt.entropy_share);
  }
  void update_residuals(const ArrayView& loss) override { risk_.update_residuals(loss.data()); }
  Eigen::Index root_size() const override { return risk_.root_size(); }
  void root(const double* payoff, double* root) const override { risk_.root(payoff, 1.0, root); }
  void set_affine_rhs() override { risk_.set_affine_rhs(); }
  void set_combined_rhs(double tau, bool second_order) override {
    risk_.set_combined_rhs(tau, second_order);
  }
  void set_centering_rhs(double tau) override { risk_.set_centering_rhs(tau); }
  void reduce() override { risk_.reduce(); }
  void recover_step(const ArrayView& dloss) override { risk_.recover_step(dloss.data()); }
  double complementarity(double along) const override { return risk_.complementarity(along); }
  double degree() const override { return risk_.degree(); }
  double weighted_residual() const override { return risk_.weighted_residual(); }
  void ratio_test(double& inverse_step) const override { risk_.ratio_test(inverse_step); }
  double shorten(double step, double tau_now, double tau_full) override {
    return risk_.shorten(step, tau_now, tau_full);
  }
  void advance(double step, const ArrayView& /*loss*/) override { risk_.advance(step); }
  const Slice& g() const override { return risk_.g; }
  const Slice& step_g() const override { return risk_.step_g; }
  double conjugate() override { return risk_.divergence(); }
  double ambiguity_price() const override { return risk_.ambiguity_price(); }
  void write_worst_case(Array& p) const override { p = risk_.p / risk_.p.sum(); }

 private:
  RiskBlock risk_;
};

}  // namespace kpm
