// Proof of the global optimum: best-first branch and bound over runs of staircase pieces.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "search/candidate.hpp"
#include "search/tree/node.hpp"

namespace kpm {

struct TreeSettings {
  double tolerance = 1e-8;      ///< the gap to prove, relative to the stake of the best clearing
  int threads = 1;              ///< 0: all processors that no other search works on
  double thread_delay = 0.0;    ///< seconds of work that one thread does alone
  std::int64_t node_limit = 0;  ///< 0: none
  bool keep_leaves = false;     ///< all of them, for a certificate
  /// Scaled money at stake in a clearing; it is 1 where this is empty.
  std::function<double(const Candidate&)> stake;
  /// Both are asked by the calling thread, the first between rounds, the second within them;
  /// anything but kOptimal stops the search with that status.
  std::function<Status(const Progress&)> stop;
  std::function<Status()> limit;
};

struct TreeResult {
  Status status = Status::kOptimal;
  std::vector<Candidate> candidates;  ///< cells as good as the best, ordered by cell
  double value = -kInfinity;
  double upper_bound = kInfinity;
  std::vector<Node> leaves;  ///< they tile the product of the staircases, if asked for
  Progress progress;
  std::int64_t iterations = 0;
  int threads = 1;
};

/// A node is a box of runs. Its relaxation, hulls of the runs' corners, bounds the box and points
/// at a cell, which gives a clearing. What the relaxation's multipliers show to be worse than the
/// best clearing is cut off the ends of the runs; what remains is split on the claim that is
/// farthest from its staircase. Nodes are taken in rounds of fixed size, best bound first, and see
/// what earlier rounds found: nothing depends on the number of threads.
///
/// Once the gap is within the tolerance about as many nodes again go on, so that the answer is
/// the best clearing to the last digits and not just one that good; then the cells that tie with
/// it are collected.
TreeResult branch_and_bound(const ScaledMarket& market, const std::vector<Corners>& corners,
                            const TreeSettings& settings);

}  // namespace kpm
