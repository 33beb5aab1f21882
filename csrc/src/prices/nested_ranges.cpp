#include "prices/nested_ranges.hpp"

#include <algorithm>

#include "numerics/tolerances.hpp"

namespace kpm {

NestedRanges::NestedRanges(const NestedClaims& sets, Arena& arena)
    : sets_(sets), nodes_(arena.span<Node>(static_cast<Eigen::Index>(sets.order().size()) + 1)) {
  for (Eigen::Index i = 0; i < sets.states(); ++i) {
    nodes_[sets.claim_of(i)].own = 1.0;
  }
}

void NestedRanges::reset() {
  for (Node& node : nodes_) {
    node.low = 0.0;
    node.high = 1.0;
  }
  nodes_[nodes_.size() - 1].low = 1.0;
}

bool NestedRanges::empty(const Node& node) const {
  return std::max(node.low, node.least) > std::min(node.high, node.most) + kSimplexTolerance;
}

bool NestedRanges::feasible() {
  for (Node& node : nodes_) {
    node.least = 0.0;
    node.most = node.own;
  }
  for (const int k : sets_.order()) {
    Node& node = nodes_[k];
    if (empty(node)) {
      prove(node);
      return false;
    }
    Node& outer = nodes_[sets_.around(k)];
    outer.least += std::max(node.low, node.least);
    outer.most += std::min(node.high, node.most);
  }
  Node& all = nodes_[nodes_.size() - 1];
  if (empty(all)) {
    prove(all);
    return false;
  }
  return true;
}

/// Add up the lows that force a price up and subtract the highs that hold it down.
void NestedRanges::prove(Node& node) {
  for (Node& each : nodes_) {
    each.multiplier = 0.0;
    each.by_least = each.by_most = false;
  }
  follow(node, true, true);
  for (auto k = sets_.order().rbegin(); k != sets_.order().rend(); ++k) {
    const Node& outer = nodes_[sets_.around(*k)];
    follow(nodes_[*k], outer.by_least, outer.by_most);
  }
}

void NestedRanges::follow(Node& node, bool low, bool high) {
  if (low) {
    node.by_least = node.least > node.low;
    node.multiplier -= node.by_least ? 0.0 : 1.0;
  }
  if (high) {
    node.by_most = node.most < node.high;
    node.multiplier += node.by_most ? 0.0 : 1.0;
  }
}

}  // namespace kpm
