// The book that the tree searches: fewer claims, the same clearings.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "book/corners.hpp"
#include "book/scaled_market.hpp"
#include "book/staircase.hpp"

namespace kpm {

/// Claims with equal payoffs, and complements, are merged into one whose staircase is the sum of
/// theirs: their prices move together anyway, and one hull is tighter than the sum of two.
class Presolve {
 public:
  struct Member {
    int claim;                // of the full market
    bool complement;          // pays one minus what the first of the group pays
    std::vector<int> limits;  // its limits among the group's, ascending in the group's price
    std::vector<int> apart;   // the same where only equal limits of the group are one
  };

  /// Without `merge` equivalent claims stay apart. The full market is borrowed.
  Presolve(const ScaledMarket& full, const std::vector<Staircase>& stairs, bool merge);

  /// `full` itself where nothing is merged.
  const ScaledMarket& market() const { return merged_ ? *merged_ : full_; }
  const std::vector<Corners>& corners() const { return corners_; }

  /// The corners, for callers that outlive the book.
  std::vector<Corners> release_corners() { return std::move(corners_); }

  /// Whether nothing was merged.
  bool same_claims() const { return !merged_; }

  std::vector<Member> members(int claim) const;

  /// The staircases of a book with the same limits, whose groups have a step for each that differs
  /// from the others; and a box among their pieces. A certificate refers to these: its
  /// checker sorts the limits and need not know which of them are equal but for rounding.
  std::vector<Corners> corners_apart(const ScaledMarket& full,
                                     const std::vector<Staircase>& stairs) const;
  Box box_apart(const Box& box) const;

  /// The pieces of all claims of the full market in a cell of this one.
  std::vector<int> restore(const std::vector<int>& cell) const;

  /// What a group demands on a step is shared by the members whose limit it is, in proportion to
  /// their own steps; `pieces` are those of a restored cell, in the full market.
  Array restore_demand(const ArrayView& demand, const std::vector<Piece>& pieces) const;

  /// Multipliers of the full market's prices: the first of a group stands for it.
  Array restore_multipliers(const ArrayView& multipliers) const;

 private:
  struct Group {
    std::vector<Member> members;
    std::vector<double> prices;  // of the limits apart, ascending strictly
    std::vector<int> starts;     // the first of the limits apart that each limit is; their number
  };

  static bool are_equivalent(const ScaledMarket& full, int first, int other, bool complement);
  static bool all_differ(const ScaledMarket& full);
  static std::vector<Group> find_groups(const ScaledMarket& full);
  static std::vector<int> firsts_of(const std::vector<Group>& groups);
  static void arrange(Group& group, const ScaledMarket& full, const std::vector<Staircase>& stairs);
  static Corners join(const Group& group, const ScaledMarket& full,
                      const std::vector<Staircase>& stairs, bool apart);

  const ScaledMarket& full_;
  std::vector<Group> groups_;  // none where nothing is merged
  std::optional<ScaledMarket> merged_;
  std::vector<Corners> corners_;
};

}  // namespace kpm
