// Which claim of a box is split, and where.
#pragma once

#include <vector>

#include "book/corners.hpp"
#include "numerics/dense.hpp"
#include "search/curved_worth.hpp"

namespace kpm {

/// A run divided behind a piece.
struct Split {
  int claim = -1;
  int piece = 0;
  /// How far off its staircase the relaxation's optimum was, in money: price times demand, by which
  /// the hull can overstate the claim's revenue, or, mostly, what the curvature says that it does.
  double area = 0.0;
  double score = 0.0;  ///< what it promises
};

/// The score of a split: the product of the falls of its halves' bounds, since a split that helps
/// on one side only leaves the same problem on the other. No fall counts for more than `gap`, which
/// prunes the half.
double score_of(double lower, double upper, double gap);

/// Where a box comes from.
struct Half {
  int claim = -1;  ///< whose run was split; none: the root
  bool upper = false;
  double area = 0.0;
  double whole = 0.0;  ///< the bound of both halves together
};

/// Pseudo-costs: how much the bound of each half of a split has fallen so far, by claim and side,
/// per unit of area. How far a claim is off its staircase says what the hull can gain by it, but
/// not what the other claims gain instead once it is split: of a chain of options most splits
/// change next to nothing.
class PseudoCosts {
 public:
  explicit PseudoCosts(int claims) : claims_(static_cast<std::size_t>(claims)) {}

  /// The bound of a half by its own relaxation.
  void learn(const Half& half, double bound);

  /// score_of() the falls to be expected.
  double score(int claim, double area, double gap) const;

 private:
  static std::size_t at(int claim, bool upper) {
    return 2 * static_cast<std::size_t>(claim) + (upper ? 1 : 0);
  }

  struct Falls {
    double sum = 0.0;  // per unit of area
    double count = 0.0;
  };

  std::size_t claims_;
  std::vector<Falls> seen_;  // (claims, sides); empty before the first
  Falls all_;
};

/// The split of a box that promises most, between the piece at the claim's price in the
/// relaxation's optimum and the piece next to it on the way to that of its demand: one half has the
/// price at its end, and the other has it no longer. Half way between the two pieces both halves
/// may hold points that are worth as much. `gap`: from the best clearing to the box's bound. The
/// value of that point's projection under the multipliers is no guide where these lie on a corner:
/// a whole face of the hull is then worth the same. With the curvature, where it is known, it is
/// the claim's part of the gap; a share of the area then stands for prices that are off their
/// flats.
Split choose_split(const Box& box, const std::vector<Corners>& corners, const ArrayView& prices,
                   const ArrayView& demand, double gap, const PseudoCosts& costs,
                   const CurvedWorth* curved = nullptr);

/// Those that promise most, at most so many, the best first: of claims off their staircases.
void choose_splits(const Box& box, const std::vector<Corners>& corners, const ArrayView& prices,
                   const ArrayView& demand, double gap, const PseudoCosts& costs, std::size_t most,
                   std::vector<Split>& splits);

}  // namespace kpm
