// The book as the tree searches it: fewer claims, the same clearings.
#pragma once

#include <vector>

#include "book/corners.hpp"
#include "book/scaled_market.hpp"
#include "book/staircase.hpp"

namespace kpm {

/// Claims without orders that could move or trade are left out. Claims that pay alike, or one the
/// complement of the other, become one whose staircase is the sum of theirs: their prices move
/// together anyway, and one hull is tighter than the sum of two. (Orders that no price can reach,
/// and those that every price fills, are no corners of a staircase to begin with.)
class Presolve {
 public:
  /// Without `merge` equivalent claims stay apart, as a certificate about the given claims needs.
  Presolve(const ScaledMarket& full, const std::vector<Staircase>& stairs, bool merge);

  const ScaledMarket& market() const { return market_; }
  const std::vector<Corners>& corners() const { return corners_; }

  /// Whether nothing was left out or merged.
  bool same_claims() const { return market_.claims() == full_claims_; }

  /// The pieces of all claims of the full market in a cell of this one.
  std::vector<int> restore(const std::vector<int>& cell) const;

 private:
  struct Member {
    int claim;                // of the full market
    bool complement;          // pays one minus what the first of the group pays
    std::vector<int> limits;  // its limits among the group's, ascending in the group's price
  };
  using Group = std::vector<Member>;

  std::vector<Group> find_groups(const ScaledMarket& full, const std::vector<Staircase>& stairs,
                                 bool merge) const;
  static Corners join(Group& group, const std::vector<Corners>& corners);

  int full_claims_;
  ScaledMarket market_;
  std::vector<Group> groups_;
  std::vector<Corners> corners_;
};

}  // namespace kpm
