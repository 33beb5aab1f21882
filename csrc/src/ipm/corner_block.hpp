// Hulls of staircase runs inside the interior-point method.
#pragma once

#include <vector>

#include "book/corners.hpp"
#include "numerics/arena.hpp"

namespace kpm {

/// (pi_k, y_k, r_k) in the hull of a claim's corners: weights v_c >= 0 that add up to one, with
///   z_c = theta_k + G_k y_c - lambda_k pi_c - pi_c y_c >= 0,   v z -> 0
/// where G values the claim at the maker's marginal state prices. Only a few corners of a run carry
/// weight, so a claim has columns for those that the multipliers asked for: column generation.
/// A Newton step is reduced to two numbers per claim,
///   dpi = step_price + price_price dlambda - price_demand dG
///   dy  = step_demand + price_demand dlambda - demand_demand dG
/// with the covariances of the corners under the weights v / z.
class CornerBlock {
 public:
  CornerBlock(const std::vector<Corners>& corners, Arena& arena);

  /// Forget all columns.
  void clear();
  /// Add a corner before start(); repeated ones are ignored.
  void add(int claim, int corner, const Corners& corners);
  /// Stake of the claims among the products: what their corners differ by, in money; of each at
  /// least this share of what it is where all are equal, so that none is resolved too finely.
  void weigh(double least_share);
  double total_stake() const { return total_stake_; }
  void start(double tau);
  /// From the start to the central path at `tau` for lambda and the claims' values G.
  void move_to(const ArrayView& lambda, const ArrayView& value, double tau);
  /// Add a corner to running iterations, at products about tau. False if it is there already.
  bool insert(int claim, int corner, const Corners& corners, double lambda, double value,
              double tau);

  /// Residuals and the reduced covariances for lambda and the claims' values G.
  void update_residuals(const ArrayView& lambda, const ArrayView& value);

  void set_affine_rhs();
  void set_combined_rhs(double tau);
  void set_centering_rhs(double tau);
  void reduce();
  /// Recover dv and dz.
  void recover_step(const ArrayView& dlambda, const ArrayView& dvalue);

  /// Prices, demands and revenues from the weights, after insert().
  void refresh();

  double complementarity(double along) const;
  double degree() const { return claims_ > 0 ? 1.0 : 0.0; }
  void ratio_test(double& inverse_step) const;
  void advance(double along);

  Slice price, demand, revenue;  ///< (claims) pi, y, r
  Slice step_price, step_demand;
  Slice price_demand, demand_demand;
  /// price_price - price_demand^2 / demand_demand, without cancellation: all that is needed of
  /// price_price.
  Slice price_alone;

 private:
  struct Column {
    int corner = 0;
    double price = 0.0, demand = 0.0;
    double v = 0.0, z = 0.0, dv = 0.0, dz = 0.0;
    double target = 0.0, u = 0.0, rz = 0.0, d = 0.0;
  };

  static constexpr int kColumns = 24;  // a claim: more are needed by none, the lightest leaves

  CornerBlock(int claims, int most, Arena& arena);

  Column* begin(int k) { return columns_.begin() + Eigen::Index{k} * most_; }
  const Column* begin(int k) const { return columns_.begin() + Eigen::Index{k} * most_; }
  Column* end(int k) { return begin(k) + count_[k]; }
  const Column* end(int k) const { return begin(k) + count_[k]; }

  int claims_;
  int most_;              // columns of a claim
  Span<Column> columns_;  // (claims, most_)
  Span<int> count_;       // (claims)
  Slice theta_, dtheta_;  // (claims)
  Slice share_;           // (claims) of the products
  Slice total_, mean_price_, mean_demand_, surplus_, mass_residual_;
  double total_stake_ = 0.0;
};

}  // namespace kpm
