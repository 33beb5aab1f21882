// The Knightian maker inside the interior-point method of the convex rules.
#pragma once

#include "ipm/risk_block.hpp"
#include "mechanisms/competitive/maker_block.hpp"

namespace kpm {

/// RiskBlock, which the relaxations and cells of `maker_optimal` share.
class KnightianBlock final : public MakerBlock {
 public:
  KnightianBlock(const ScaledMarket& market, Arena& arena) : risk_(market, arena) {}

  void start(const ArrayView& loss, double tau, double entropy_share) override {
    risk_.start(loss, tau, entropy_share);
  }
  void measure(const ArrayView& loss) override { risk_.measure(loss); }
  Eigen::Index root_size() const override { return risk_.root_size(); }
  void root(const double* payoff, double* root) const override { risk_.root(payoff, 1.0, root); }
  void target_predictor() override { risk_.target_predictor(); }
  void target_corrector(double tau, bool second_order) override {
    risk_.target_corrector(tau, second_order);
  }
  void target_centre(double tau) override { risk_.target_centre(tau); }
  void condense() override { risk_.condense(); }
  void expand(const ArrayView& dloss) override { risk_.expand(dloss); }
  double complementarity(double along) const override { return risk_.complementarity(along); }
  double weight() const override { return risk_.weight(); }
  double weighted_residual() const override { return risk_.weighted_residual(); }
  void steepest(double& steepest) const override { risk_.steepest(steepest); }
  double shorten(double step, double tau_now, double tau_full) override {
    return risk_.shorten(step, tau_now, tau_full);
  }
  void advance(double step, const ArrayView& /*loss*/) override { risk_.advance(step); }
  const Slice& g() const override { return risk_.g; }
  const Slice& step_g() const override { return risk_.step_g; }
  double conjugate() const override { return risk_.divergence(); }
  double ambiguity_price() const override { return risk_.ambiguity_price(); }
  void write_worst_case(Array& p) const override { p = risk_.p / risk_.p.sum(); }

 private:
  RiskBlock risk_;
};

}  // namespace kpm
