// What one thread does with one node of the tree.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "bound/multipliers.hpp"
#include "ipm/relaxation_program.hpp"
#include "model/corners.hpp"
#include "numerics/checkpoint.hpp"
#include "prices/price_simplex.hpp"
#include "search/candidate.hpp"
#include "search/local_search.hpp"

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

class NodeSolver {
 public:
  /// `wanted` says, now and then, whether to go on with a node.
  NodeSolver(const ScaledMarket& market, const std::vector<Corners>& corners,
             std::function<bool()> wanted);

  /// `incumbent` is the value of the best clearing known.
  /// Worse boxes are returned only if `keep_settled`. Where it is not to go on, the node comes back
  /// as its own child, with the best bound so far.
  NodeOutcome process(Node node, double incumbent, bool keep_settled);

  /// Solve one cell, if any state prices reach it.
  NodeOutcome solve(const std::vector<int>& cell);

  /// A clearing to begin with: of the cells at the prior's prices, then at the maker's marginal
  /// state prices, unless that of no trade is as good as any.
  NodeOutcome first_clearings();

 private:
  void examine(Node& node, double incumbent, bool keep_settled, NodeOutcome& outcome);
  bool starts_at_kink() const;
  bool proved_by_idleness(NodeOutcome& outcome);
  bool reachable(Node& node);
  bool closed_by_cells(Node& node, double& incumbent, NodeOutcome& outcome);
  void relax(Node& node, double incumbent);
  void refine(Node& node, double incumbent);
  void pass();
  void take_bound(Node& node) const;
  void take_bound_of_cell(Node& node);
  int claims() const { return market_.claims(); }
  void count(NodeOutcome& outcome);
  std::vector<int> round(const Run& run);
  void cut_ends(Node& node, double threshold, bool keep, NodeOutcome& outcome) const;
  void split(const Node& node, NodeOutcome& outcome) const;

  const ScaledMarket& market_;
  const std::vector<Corners>& corners_;
  Checkpoint checkpoint_;
  Arena arena_;
  std::unique_ptr<RelaxationProgram> relaxation_;  // many trees end before the first
  LocalSearch cells_;
  PriceSimplex simplex_;
  Multipliers cell_multipliers_;
  std::vector<CellMove> wishes_;
  int relaxation_iterations_ = 0;
};

}  // namespace kpm
