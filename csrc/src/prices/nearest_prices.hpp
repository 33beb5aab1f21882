// The published state prices of a cell.
#pragma once

#include <vector>

#include "model/scaled_market.hpp"
#include "prices/price_simplex.hpp"

namespace kpm {

/// Among the state prices that earn the most in a cell, the one closest to the prior in KL:
///   1. the simplex method maximises revenue and describes the optimal face exactly;
///   2. a few more maximisations find which states can have a positive price on the face;
///   3. on those, Newton's method on the dual of  min KL(xi | q)  subject to the claims' prices:
///      a barrier finds which ends of ranges bind, equalities then settle the last digits.
/// The minimiser is unique: KL is strictly convex.
class NearestPrices {
 public:
  explicit NearestPrices(const ScaledMarket& market);

  /// Piece ranges and flat demands of the cell (step claims have low = high). False if no state
  /// prices reach the cell.
  bool solve(const Array& price_low, const Array& price_high, const Array& flat_demand);

  const Array& state_prices() const { return xi_; }
  /// False where the projection failed for want of digits, in a prior of 1e-20 or payoffs 1e-12 of
  /// the range apart: the state prices are then others of the same revenue.
  bool nearest() const { return nearest_; }
  double revenue() const { return revenue_; }        ///< of the flats
  double divergence() const { return divergence_; }  ///< KL(xi | q)

 private:
  /// What a claim's price shall be, and how fast that falls with its multiplier.
  struct Target {
    double price = 0.0;
    double curvature = 0.0;
  };

  void find_support();
  void find_ranges();
  void project();
  template <class RangeOf>
  bool reached(const Array& state_prices, RangeOf&& range_of) const;
  void measure();
  void polish();
  bool barrier_target(int k, double tau, Target& target) const;
  template <class TargetOf>
  void newton(double tau, TargetOf&& target_of);

  const ScaledMarket& market_;
  PriceSimplex simplex_;
  Array xi_;
  Array inside_;  // (states) the sum of the vertices seen
  bool nearest_ = true;
  double revenue_ = 0.0;
  double divergence_ = 0.0;

  // The projection: states that can be positive, and the ranges of the face.
  std::vector<int> support_;
  Array low_, high_;  // (claims)
  Array room_;        // (claims) how much of a range is in reach: what its barrier counts
  Array prior_;       // (support)
  Matrix payoffs_;    // (claims, support)
  Array lambda_;      // (claims) multipliers of the claims' prices
  Array price_;       // (claims) at the last iterate
};

}  // namespace kpm
