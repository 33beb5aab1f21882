// The published state prices of a cell.
#pragma once

#include <optional>

#include "book/scaled_market.hpp"
#include "prices/information_projection.hpp"
#include "prices/precise_prices.hpp"
#include "prices/price_simplex.hpp"

namespace kpm {

/// Among the state prices that earn the most in a cell, the one closest to the prior in KL:
///   1. the simplex method maximises revenue, if any is earned, and describes the optimal face
///      exactly;
///   2. unless that is a single point, the prior is projected on it;
///   3. where that does not settle at once (states that must have no price, ranges with hardly any
///      room, claims that nearly depend on each other), it is done again by PrecisePrices.
/// The minimiser is unique: KL is strictly convex.
class PriceRule {
 public:
  PriceRule(const ScaledMarket& market, Arena& arena, Checkpoint* checkpoint = nullptr);

  /// Piece ranges and flat demands of the cell (step claims have low = high). False if no state
  /// prices reach the cell; else they do to within 1e-12.
  bool solve(const ArrayView& price_low, const ArrayView& price_high, const ArrayView& flat_demand);

  const Slice& state_prices() const { return xi_; }
  /// False where the projection failed for want of digits: the state prices are then others of the
  /// same revenue.
  bool nearest() const { return nearest_; }
  double divergence() const { return divergence_; }  ///< KL(xi | q)

 private:
  bool take_vertex();
  bool project_on_face(bool whole);
  bool reached(double slack) const;

  const ScaledMarket& market_;
  Arena& arena_;
  Checkpoint* checkpoint_;
  PriceSimplex simplex_;
  std::optional<InformationProjection> projection_;  // many faces are a single point
  std::optional<PrecisePrices> precise_;
  const Slice no_weight_;  // (states)
  Slice xi_;
  bool nearest_ = true;
  double divergence_ = 0.0;
};

}  // namespace kpm
