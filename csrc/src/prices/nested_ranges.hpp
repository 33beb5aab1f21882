// Whether any state prices reach given ranges, where claims pay on nested sets of states.
#pragma once

#include "book/nested_claims.hpp"
#include "numerics/arena.hpp"

namespace kpm {

/// A set's price is the sum of the prices of those within it, or more where it has states of its
/// own. So an interval is left for each, from the smallest sets to that of all states, whose price
/// is one. O(N + K).
class NestedRanges {
 public:
  NestedRanges(const NestedClaims& sets, Arena& arena);

  void reset();
  void set_range(int claim, double low, double high) {
    nodes_[claim].low = low;
    nodes_[claim].high = high;
  }

  bool feasible();

  /// After feasible() said no: the claims' multipliers of a proof, as the simplex method's.
  double farkas_multiplier(int claim) const { return nodes_[claim].multiplier; }
  double range_low(int claim) const { return nodes_[claim].low; }
  double range_high(int claim) const { return nodes_[claim].high; }

 private:
  struct Node {
    double low, high;    // the range
    double least, most;  // what those within, and states of its own, may add up to
    double own;          // most of the latter
    double multiplier;
    bool by_least, by_most;  // a proof goes on with those within
  };

  bool empty(const Node& node) const;
  void prove(Node& node);
  static void follow(Node& node, bool low, bool high);

  const NestedClaims& sets_;
  Span<Node> nodes_;  // (claims + 1), all states the last
};

}  // namespace kpm
