// What one thread does with one node of the tree.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "book/corners.hpp"
#include "numerics/checkpoint.hpp"
#include "prices/checked_simplex.hpp"
#include "prices/range_check.hpp"
#include "risk/dual_bound.hpp"
#include "search/local_search.hpp"
#include "search/neighbour_search.hpp"
#include "search/tree/linear_subtree.hpp"
#include "search/tree/node.hpp"
#include "search/tree/run_ends.hpp"

namespace kpm {

class RelaxationProgram;

class NodeSolver {
 public:
  /// `unpolled`: operations to begin with that no limit stops.
  NodeSolver(const ScaledMarket& market, const std::vector<Corners>& corners, StopToken& token,
             double unpolled = 0.0);
  ~NodeSolver();

  /// If it is stopped, the node is returned as its own child, with the best bound so far.
  void process(Node node, const NodeTask& task, NodeOutcome& outcome);

  /// Nodes that one is divided into, at most, in a market of no more claims.
  static int most_leaves(int claims);

  /// Whether process() takes the memory of an outcome's spare node.
  bool reuses_nodes() const { return !dear_; }

  /// Solve one cell, if any state prices reach it.
  NodeOutcome solve(const std::vector<int>& cell);

  /// A clearing to begin with: of the cells at the prior's prices, then at the maker's marginal
  /// state prices, unless the cell without trade is as good as any.
  NodeOutcome first_clearings();

 private:
  template <class Work>
  NodeOutcome unless_abandoned(Work&& work);
  void first_clearings(NodeOutcome& outcome);
  void examine(Node& node, const NodeTask& task, NodeOutcome& outcome);
  bool starts_at_kink() const;
  bool prove_no_trade_optimal(NodeOutcome& outcome);
  double search_neighbours(double bound, double incumbent, NodeOutcome& outcome);
  std::optional<Array> separation(const Box& box);
  bool close_root_by_cells(Node& node, double& incumbent, NodeOutcome& outcome);
  void relax(Node& node, double incumbent);
  void refine(Node& node, double incumbent);
  void pass();
  void take_bound(Node& node) const;
  void take_bound_of_cell(Node& node) const;
  int claims() const { return market_.claims(); }
  void count(NodeOutcome& outcome);
  std::vector<int> round(const Node& node);
  double lost_on_flat(int claim, double demand) const;
  void narrow(Node& node, const NodeTask& task, NodeOutcome& outcome);
  bool search_along_risk(Node& node, double best, NodeOutcome& outcome);
  Split choose(const Node& node, double best, const NodeTask& task) const;
  void split(Node&& node, double best, const NodeTask& task, NodeOutcome& outcome);

  const ScaledMarket& market_;
  const std::vector<Corners>& corners_;
  Checkpoint checkpoint_;
  Arena arena_;
  std::unique_ptr<RelaxationProgram> relaxation_;  // many trees end before the first
  LocalSearch cells_;
  std::optional<NeighbourSearch> neighbours_;  // of books of many claims
  std::optional<LinearSubtree> subtree_;       // likewise
  RangeCheck<CheckedSimplex> ranges_;
  std::vector<CellMove> moves_;
  RunEnds ends_;
  const bool dear_;  // a relaxation is: neighbours of clearings and boxes below nodes pay
  double bound_of_root_ = kInfinity;  // where the cell without trade has proved itself
  int relaxation_iterations_ = 0;
};

}  // namespace kpm
