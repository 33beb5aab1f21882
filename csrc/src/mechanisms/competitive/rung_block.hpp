// The traders' values inside the interior-point method of the convex rules.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "mechanisms/competitive/ladder.hpp"
#include "numerics/arena.hpp"
#include "numerics/pair.hpp"

namespace kpm {

/// (y_k, v_k) in the hull of a claim's rungs: weights v_c >= 0 that add up to one, with
///   z_c = theta_k + G_k y_c - value_c >= 0,   v z -> 0
/// where G values the claim at the maker's marginal state prices. At most two rungs of a claim
/// carry weight in the end: there are columns for a sample of them to begin with and for those that
/// the prices ask for on the way, and a column leaves when its slack says that it will not be used.
/// Joining late costs short steps, idle columns cost time: a rung that left may join again. Where
/// that goes round, nothing keeps the prices off a rung that is far larger than those beside it but
/// its joining: then columns stay. Column generation, as in CornerBlock, whose hulls have a price
/// more. A Newton step is reduced to
///   dy = step - spread dG,
/// where the step is that of the targets set last.
class RungBlock {
 public:
  RungBlock(int claims, Arena& arena);

  void clear();
  /// Columns to begin with: the rungs around `rung`, then others evenly as far as there is room.
  void sample(int claim, int rung, const Ladder& ladder);
  /// The claims' shares of the products: what their rungs differ by.
  void weigh();
  double total_stake() const { return total_stake_; }
  void start(double tau, bool idle_leave);
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
  void recover_step(const ArrayView& dprice);

  /// sum (v + along dv) (z + along dz), of which a step keeps the three sums.
  double complementarity(double along) const {
    return products_ + along * (crossed_ + along * second_);
  }
  double degree() const { return claims_ > 0 ? 1.0 : 0.0; }
  void ratio_test(double& inverse_step) const {
    inverse_step = std::max(inverse_step, inverse_step_);
  }
  void advance(double along);

  Slice demand, value;  ///< (claims)
  Slice step, spread;

 private:
  /// One record for two columns. Where their number is odd the last one has a lane to spare: it
  /// repeats the first but for its weight and what is divided by it, which are zero.
  struct Columns {
    Pair demand, value, v, z;
    Pair inverse_v, inverse_z, d, rz, u, dv, dz;
    std::array<int, 2> rung;
  };

  static constexpr int kColumns = 32;  // a claim: more are needed by none, the lightest leaves

  bool has(int claim, int rung) const;
  void append(int claim, int rung, const Ladder& ladder, double v, double z);
  void remove(int claim, int column);
  void spare(Columns& last);
  template <class Target>
  void set_rhs(double tau, Target&& target);

  Columns* begin(int k) { return columns_.begin() + Eigen::Index{k} * (kColumns / 2); }
  const Columns* begin(int k) const { return columns_.begin() + Eigen::Index{k} * (kColumns / 2); }
  Columns* end(int k) { return begin(k) + (count_[k] + 1) / 2; }
  const Columns* end(int k) const { return begin(k) + (count_[k] + 1) / 2; }

  int claims_;
  Span<Columns> columns_;  // (claims, kColumns / 2)
  Span<int> count_;        // (claims)
  Slice theta_, dtheta_, share_, total_, mean_, surplus_, mass_;
  bool idle_leave_ = true;
  double total_stake_ = 0.0;
  double products_ = 0.0, crossed_ = 0.0, second_ = 0.0, inverse_step_ = 0.0;
};

}  // namespace kpm
