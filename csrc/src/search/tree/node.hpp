// A node of the tree, and the outcome of processing it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "book/corners.hpp"
#include "risk/dual_bound.hpp"
#include "search/candidate.hpp"
#include "search/tree/branching.hpp"

namespace kpm {

/// A box of runs with a bound that its multipliers prove.
struct Node {
  Box box;
  double bound = kInfinity;
  Multipliers multipliers;
  std::int64_t id = 0;  ///< in the order of creation
  Half half;
  bool along_risk = false;  ///< to be searched along its risk before it is split, down to what
  double enough = 0.0;      ///< suffices: so little above the best clearing
};

/// One half of a node's box; its bound is still the node's.
inline Node half_of(const Node& node, const Split& split, bool upper) {
  Node child = node;
  child.half = {split.claim, upper, split.area, node.bound};
  const auto at = static_cast<std::size_t>(split.claim);
  (upper ? child.box.first[at] : child.box.last[at]) = split.piece + (upper ? 1 : 0);
  return child;
}

/// The bound of a half by its own multipliers.
struct Fall {
  Half half;
  double bound;
};

/// Multipliers that nodes left, the latest last: they bound any box.
using Supports = std::vector<Multipliers>;

/// The latest of them, in a ring: as they are, while newer ones take the places of older ones.
class RecentSupports {
 public:
  RecentSupports() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): all of them
  RecentSupports(const Supports& all) : RecentSupports(all, all.size(), all.size(), all.size()) {}
  /// The last `count` of `end` that went round so many places.
  RecentSupports(const Supports& ring, std::size_t places, std::size_t count, std::size_t end)
      : ring_(ring.data()), places_(places), count_(count), end_(end) {}

  std::size_t size() const { return count_; }
  /// The latest but so many.
  const Multipliers& back(std::size_t later) const { return ring_[(end_ - 1 - later) % places_]; }

 private:
  const Multipliers* ring_ = nullptr;
  std::size_t places_ = 0;
  std::size_t count_ = 0;
  std::size_t end_ = 0;
};

/// What is known, and wanted, of a node.
struct NodeTask {
  double incumbent;  ///< the value of the best clearing known
  const PseudoCosts& costs;
  RecentSupports supports;
  bool climb = true;         ///< look for a better clearing, whether one is to be expected or not
  bool keep_pruned = false;  ///< return worse boxes as well
};

/// The outcome of a node: pruned boxes, open boxes, and cells that were solved. One that is filled
/// again takes the memory that it has left.
struct NodeOutcome {
  std::vector<Node> pruned;    ///< worse than the best clearing, or out of reach
  std::vector<Node> children;  ///< what remained, divided; or the node itself
  std::vector<Node> fathomed;  ///< no better than the best clearing, or a cell
  std::vector<Candidate> candidates;
  Supports supports;           ///< of its relaxation and of the cell it climbed to
  double relaxed = kInfinity;  ///< the relaxation's bound
  Half half;                   ///< the node's
  std::vector<Fall> falls;     ///< of the boxes below it
  std::vector<Node> whole;     ///< the first node, to be searched along its risk if trees grow
  std::int64_t iterations = 0;
  std::int64_t relaxations = 0;
  std::int64_t cells = 0;
  std::int64_t columns = 0;

  Node spare;      ///< whose memory a child may take; empty if there is none
  Supports spent;  ///< whose memory supports may take

  /// Empty again, but for memory.
  void restart() {
    std::move(supports.begin(), supports.end(), std::back_inserter(spent));
    for (auto* const nodes : {&pruned, &children, &fathomed, &whole}) {
      nodes->clear();
    }
    candidates.clear();
    supports.clear();
    falls.clear();
    relaxed = kInfinity;
    half = Half();
    iterations = relaxations = cells = columns = 0;
  }

  void add_support(const Multipliers& support) {
    if (spent.empty()) {
      supports.push_back(support);
      return;
    }
    supports.push_back(std::move(spent.back()));
    spent.pop_back();
    supports.back() = support;
  }
};

}  // namespace kpm
