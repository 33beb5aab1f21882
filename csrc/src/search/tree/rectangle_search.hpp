// The search of a box of disjoint claims along its risk and price of ambiguity.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "book/corners.hpp"
#include "numerics/checkpoint.hpp"
#include "search/candidate.hpp"
#include "search/local_search.hpp"
#include "search/tree/curved_bound.hpp"
#include "search/tree/hull_planes.hpp"

namespace kpm {

/// With a claim for each of many states each adds a little to the gap between hulls and staircases,
/// and splits of claims close it one by one: under a tangent of the risk all of a hull's face is
/// worth the same. For a given risk r and price of ambiguity nu the risk is a sum over claims, with
/// its curvature, and hardly any claim has two pieces that are as good. So the plane of (r, nu) is
/// divided into rectangles, best bound first, and only where a rectangle is so small that its size
/// no longer matters a claim is split.
class RectangleSearch {
 public:
  /// Whether there are so many claims, disjoint, and so much ambiguity, but not all.
  static bool serves(const ScaledMarket& market);

  /// Of a box, about the risk and price of ambiguity of its relaxation, and the multiplier of the
  /// sum of prices there. Cells that look better than `best` are solved by `cells`.
  RectangleSearch(const ScaledMarket& market, const std::vector<Corners>& corners,
                  Checkpoint& checkpoint, LocalSearch& cells, const Box& box,
                  const RiskPoint& around, double lambda);

  /// What is left of the box: all else in it is worth less than `best` by more than kTie. None
  /// where that takes too long. `best` rises with what is found. Left is what may be more than
  /// `enough` above it, or all but the last digits if that is nothing.
  struct Left {
    Box box;
    double bound = -kInfinity;  ///< of all of it; no box if it is below `best`
    int choices = 0;            ///< pieces but one of each claim
  };
  std::optional<Left> run(double& best, double enough, std::vector<Candidate>& found);

 private:
  /// A box within a rectangle.
  struct Part {
    Box box;
    RiskRectangle rectangle;
    double lambda = 0.0;
    double bound = kInfinity;
  };

  void surround(double threshold);
  bool search(double above, double& best, std::vector<Candidate>& found);
  bool bounded_by_tangents(Part& part, double threshold);
  bool bounded_by_planes(Part& part, double threshold) const;
  void look_at(const Box& box);
  void divide(Part part, double& best, std::vector<Candidate>& found);
  void halve(Part part);
  bool wide(const RiskRectangle& rectangle) const;
  double bent(const RiskRectangle& rectangle, std::size_t side) const;
  void push(Part&& part);
  Part pop();
  Left all_open(double best) const;

  const ScaledMarket& market_;
  const std::vector<Corners>& corners_;
  Checkpoint& checkpoint_;
  LocalSearch& cells_;
  RiskPoint around_;
  SeparableRisk risk_;
  CurvedBound curved_;
  HullPlanes planes_;
  std::vector<Part> open_;   // a heap
  std::int64_t pieces_ = 0;  // looked at
  std::int64_t most_;        // it may look at
  int solved_ = 0;           // cells
};

}  // namespace kpm
