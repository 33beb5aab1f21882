// Bounds on a box that are linear in the risk and in the price of ambiguity.
#pragma once

#include <vector>

#include "book/corners.hpp"
#include "risk/separable_risk.hpp"
#include "search/tree/price_sum.hpp"

namespace kpm {

/// A tangent of the risk that all pieces of a claim share (SeparableRisk), at any r and nu: with it
/// no clearing of the box whose risk and price of ambiguity are s is worth more than
///     value + slope (s - point).
/// Found where the hulls of the runs touch it, it bounds best far from the relaxation's optimum,
/// where CurvedBound charges far pieces too little at the corners of a large rectangle.
class HullPlanes {
 public:
  HullPlanes(const ScaledMarket& market, const std::vector<Corners>& corners, const Box& box);

  /// One more, with the best lambda from `lambda` on, the multiplier of the sum of prices, which it
  /// leaves there. Returns its value.
  double add(const RiskPoint& point, double& lambda);

  /// What they bound a rectangle by. Ends at the first that is below the threshold.
  double bound(const RiskRectangle& rectangle, double threshold) const;

 private:
  struct Plane {
    RiskPoint point;
    double value;
    RiskPoint slope;
  };
  struct Vertex {
    double demand, worth, price;
    double slope;  // of the edge to the next
  };
  struct Touch {
    double worth;  // of the best corner
    double price;  // of the hull
  };

  Plane plane(double lambda, double& slope);
  void find_hull(std::size_t claim, double lambda);
  Touch touch(int claim, double lambda, SeparableRisk::Part& part);

  const std::vector<Corners>& corners_;
  Box box_;
  SeparableRisk risk_;
  PriceSum prices_;
  std::vector<Vertex> hull_;  // of one claim
  std::vector<Plane> planes_;
};

}  // namespace kpm
