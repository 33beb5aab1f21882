// The published state prices of a cell.
#pragma once

#include "book/scaled_market.hpp"
#include "prices/information_projection.hpp"
#include "prices/price_simplex.hpp"

namespace kpm {

/// Among the state prices that earn the most in a cell, the one closest to the prior in KL:
///   1. the simplex method maximises revenue and describes the optimal face exactly;
///   2. unless that is a single point, the prior is projected on it;
///   3. where that does not settle at once, a few more maximisations find which states can have a
///      positive price on the face and how much room its ranges leave, and a barrier follows.
/// The minimiser is unique: KL is strictly convex.
class PriceRule {
 public:
  PriceRule(const ScaledMarket& market, Arena& arena);

  /// Piece ranges and flat demands of the cell (step claims have low = high). False if no state
  /// prices reach the cell.
  bool solve(const ArrayView& price_low, const ArrayView& price_high, const ArrayView& flat_demand);

  const Slice& state_prices() const { return xi_; }
  /// False where the projection failed for want of digits, in a prior of 1e-20 or payoffs 1e-12 of
  /// the range apart: the state prices are then others of the same revenue.
  bool nearest() const { return nearest_; }
  double revenue() const { return revenue_; }        ///< of the flats
  double divergence() const { return divergence_; }  ///< KL(xi | q)

 private:
  bool take_vertex();
  void project_on_face();
  void find_support();
  void find_ranges();
  template <class RangeOf>
  bool reached(const ArrayView& state_prices, RangeOf&& range_of, double slack) const;

  const ScaledMarket& market_;
  PriceSimplex simplex_;
  InformationProjection projection_;
  Slice xi_;
  Slice low_, high_;  // (claims) the ranges of the face
  Array inside_;      // (states) the sum of the vertices seen
  bool nearest_ = true;
  double revenue_ = 0.0;
  double divergence_ = 0.0;
};

}  // namespace kpm
