// Bounds that see how the risk curves.
#pragma once

#include "book/corners.hpp"
#include "numerics/arena.hpp"
#include "risk/dual_bound.hpp"
#include "risk/risk_measure.hpp"

namespace kpm {

/// A node's multipliers support the best demand; a piece a little off it looks as good as the best
/// to first order. The maker's risk curves, so what supports the demand moved onto the piece bounds
/// the piece lower: one evaluation of the risk instead of a cell.
class TangentBound {
 public:
  TangentBound(const ScaledMarket& market, const std::vector<Corners>& corners);

  /// Support this demand, with the prices' multipliers lambda. False at a kink, where the risk does
  /// not curve.
  bool support(const Array& demand, const Array& lambda);

  /// The bound of every clearing of a box.
  double bound(const Box& box) const { return multipliers_.bound(corners_, box); }

 private:
  const ScaledMarket& market_;
  const std::vector<Corners>& corners_;
  Arena arena_;
  RiskMeasure measure_;
  Array loss_;
  Multipliers multipliers_;
};

}  // namespace kpm
