// Pieces at the ends of a box's runs that multipliers prove to be worse than the best clearing.
#pragma once

#include <vector>

#include "book/corners.hpp"
#include "risk/dual_bound.hpp"
#include "search/tree/node.hpp"

namespace kpm {

/// Under fixed multipliers a box's bound is a sum over claims: a piece is worth the rest of the sum
/// and its own better corner.
class RunEnds {
 public:
  explicit RunEnds(const std::vector<Corners>& corners)
      : corners_(corners), most_(corners.size()) {}

  /// The bound of a box, and what it takes the claims to be worth.
  double bound(const Multipliers& multipliers, const Box& box);

  /// Pieces at the ends of runs that the multipliers bound below the threshold are pruned; `bound`
  /// is the node's, by the multipliers of the last call of bound().
  void cut(Node& node, const Multipliers& multipliers, double bound, double threshold, bool keep,
           std::vector<Node>& pruned);

 private:
  const std::vector<Corners>& corners_;
  std::vector<double> most_;  // (claims) the best corners' worth
};

}  // namespace kpm
