// The traders' values inside the interior-point method of the convex rules.
#pragma once

#include <vector>

#include "mechanisms/competitive/ladder.hpp"
#include "numerics/arena.hpp"

namespace kpm {

/// (y_k, v_k) in the hull of a claim's rungs: weights v_c >= 0 that add up to one, with
///   z_c = theta_k + G_k y_c - value_c >= 0,   v z -> 0
/// where G values the claim at the maker's marginal state prices. At most two rungs of a claim
/// carry weight in the end: there are columns for a sample of them to begin with and for those that
/// the prices ask for on the way, and a column leaves when its slack says that it will not be used.
/// Joining late costs short steps, idle columns cost time: a rung that left may join again. Column
/// generation, as in CornerBlock, whose hulls have a price more. A Newton step is reduced to
///   dy = step - spread dG.
class RungBlock {
 public:
  RungBlock(int claims, Arena& arena);

  void clear();
  /// Columns to begin with: the rungs around `rung`, then others evenly as far as there is room.
  void sample(int claim, int rung, const Ladder& ladder);
  /// The claims' shares of the products: what their rungs differ by.
  void weigh();
  double total_stake() const { return total_stake_; }
  void start(double tau);
  /// Add a rung to running iterations, at products about tau. False if it is there already.
  bool insert(int claim, int rung, const Ladder& ladder, double price, double tau);
  /// Take out the columns whose true slack at these prices is far beyond products about tau.
  /// Whether there were any.
  bool drop_idle(const ArrayView& price, double tau);
  /// Demands and values from the weights, after insert() and drop_idle().
  void refresh();

  void update_residuals(const ArrayView& price);
  void set_affine_rhs();
  void set_combined_rhs(double tau);
  void set_centering_rhs(double tau);
  void reduce();
  void recover_step(const ArrayView& dprice);

  /// sum (v + along dv) (z + along dz), of which a step keeps the three sums.
  double complementarity(double along) const {
    return products_ + along * (crossed_ + along * second_);
  }
  double degree() const { return claims_ > 0 ? 1.0 : 0.0; }
  void ratio_test(double& steepest) const;
  void advance(double along);

  Slice demand, value;  ///< (claims)
  Slice step, spread;

 private:
  struct Column {
    int rung = 0;
    double demand = 0.0, value = 0.0;
    double v = 0.0, z = 0.0, dv = 0.0, dz = 0.0;
    double target = 0.0, u = 0.0, rz = 0.0, d = 0.0;
  };

  static constexpr int kColumns = 32;  // a claim: more are needed by none, the lightest leaves

  void add(int claim, int rung, const Ladder& ladder);

  Column* begin(int k) { return columns_.begin() + Eigen::Index{k} * kColumns; }
  const Column* begin(int k) const { return columns_.begin() + Eigen::Index{k} * kColumns; }
  Column* end(int k) { return begin(k) + count_[k]; }
  const Column* end(int k) const { return begin(k) + count_[k]; }

  int claims_;
  Span<Column> columns_;  // (claims, kColumns)
  Span<int> count_;       // (claims)
  Slice theta_, dtheta_, share_, total_, mean_, surplus_, mass_;
  double total_stake_ = 0.0;
  double products_ = 0.0, crossed_ = 0.0, second_ = 0.0;
};

}  // namespace kpm
