// A bound on the clearings of a box whose risk and price of ambiguity lie in a rectangle.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "book/corners.hpp"
#include "risk/separable_risk.hpp"
#include "search/tree/price_sum.hpp"

namespace kpm {

/// Where claims are disjoint the risk is a sum over claims for given r and nu (SeparableRisk), and
/// convex in demand, r and nu together. So each piece of each claim may have a tangent of its own,
/// at the piece's best demand and one point of the rectangle. Under these a clearing is worth no
/// more than, with one multiplier lambda of the sum of prices,
///     lambda + sum_k max over pieces of [pi (y - lambda) - tangent] - r + nu
/// at some corner of the rectangle: four sums of maxima. Unlike a tangent of all pieces together it
/// charges each for what its demand bends the risk.
class CurvedBound {
 public:
  CurvedBound(const ScaledMarket& market, const std::vector<Corners>& corners);

  /// The bound of a box within a rectangle, by tangents at its middle; with the best lambda from
  /// `lambda` on, which it leaves there, or any that bounds below the threshold.
  double bound(const Box& box, const RiskRectangle& rectangle, double threshold, double& lambda);

  /// Leave out pieces at the ends of the runs of the box bounded last that are worth less than the
  /// threshold. Returns whether any clearing is left.
  bool cut(double lambda, double threshold, Box& box);

  /// The middle alone, under its own lambda.
  struct Middle {
    double value = 0.0;     ///< no clearing with that r and nu is worth more
    int claim = -1;         ///< one that two pieces are best for, the farthest apart; none: the
    int piece = 0;          ///< cell is worth the value. A split between the two is behind this
    std::vector<int> cell;  ///< of the best pieces
  };
  Middle middle(const Box& box, double lambda);

 private:
  /// One end of a piece.
  struct End {
    double worth, price;  // worth - lambda price
    RiskPoint by_point;
    int piece;
  };
  struct Sum {
    double value, slope;  // by lambda
  };

  void add_tangents(int claim, int first, int last);
  void keep_near(double lambda);
  Sum sum(double lambda, const RiskPoint& off);
  const End& best_end(std::size_t claim, double lambda, const RiskPoint& off) const;
  static double worth(const End& end, double lambda, const RiskPoint& off) {
    return end.worth - lambda * end.price - end.by_point[0] * off[0] - end.by_point[1] * off[1];
  }

  const std::vector<Corners>& corners_;
  SeparableRisk risk_;
  PriceSum prices_;
  std::vector<End> ends_;
  std::vector<std::size_t> begin_;  // (claims + 1)
  // Those that may be the best of their claim in the rectangle, for any lambda so near.
  std::vector<End> kept_;
  std::vector<std::size_t> begin_of_kept_;
  double near_ = 0.0, width_ = -1.0;
  std::array<RiskPoint, 4> offs_{};  // of the corners from the middle
  SeparableRisk::Part others_;
  double beyond_ = 0.0;
};

}  // namespace kpm
