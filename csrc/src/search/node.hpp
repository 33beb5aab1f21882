// A node of the tree, and what becomes of it.
#pragma once

#include <cstdint>
#include <vector>

#include "bound/multipliers.hpp"
#include "model/corners.hpp"
#include "search/candidate.hpp"

namespace kpm {

/// A box of runs with a bound that its multipliers prove.
struct Node {
  Run run;
  double bound = kInfinity;
  Multipliers multipliers;
  std::int64_t id = 0;  ///< in the order of creation
};

/// What became of a node: boxes that are settled, boxes to look at, and cells that were solved.
struct NodeOutcome {
  std::vector<Node> settled;   ///< worse than the best clearing, or out of reach
  std::vector<Node> children;  ///< empty, or the two halves of what remained
  std::vector<Node> closed;    ///< no better than the best clearing, or a cell
  std::vector<Candidate> candidates;
  double relaxed = kInfinity;  ///< the relaxation's bound
  std::int64_t iterations = 0;
  std::int64_t relaxations = 0;
  std::int64_t cells = 0;
  std::int64_t columns = 0;
};

}  // namespace kpm
