// Proof of the global optimum: best-first branch and bound over boxes of staircase pieces.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "search/candidate.hpp"
#include "search/search.hpp"
#include "search/tree/node.hpp"

namespace kpm {

/// The tolerance is relative to the stake of the best clearing; reports come between nodes.
struct TreeSettings : SearchSettings {
  std::int64_t node_limit = 0;  ///< 0: none
  bool keep_leaves = false;     ///< all of them, for a certificate
  /// Scaled money at stake in a clearing; it is 1 where this is empty.
  std::function<double(const Candidate&)> stake;
  /// Called with a new best clearing's stake, between nodes: true ends the search. May be empty.
  std::function<bool(double)> too_coarse;
};

struct TreeResult : SearchResult {
  std::vector<Candidate> reserve;  ///< the next best, best first
  std::vector<Node> leaves;        ///< they tile the product of the staircases, if asked for
  bool coarse = false;             ///< too coarse: nothing else of the result means anything
};

/// A node is a box, one run of pieces per claim. Its relaxation, over the hulls of the runs'
/// corners, bounds the box and suggests a cell, which gives a clearing. Pieces that the
/// relaxation's multipliers show to be worse than the best clearing are pruned from the ends of the
/// runs; what remains is split on a claim that is off its staircase (branching.hpp). Nodes are
/// begun best bound first, a few at a time, and see what those before them found: nothing depends
/// on the number of threads (pipeline.hpp).
///
/// Once the gap is within a tolerance of kFineTolerance or more the search ends, if its best
/// clearing is worth no less than no trade. Asked for a finer one it continues, so that the answer
/// is the best clearing to the last digits and not merely one within tolerance: where
/// `goes_on_to_the_end()`, until nothing is left that may be better, else for about as many nodes
/// again. Then the cells that tie with it are collected.
TreeResult branch_and_bound(const ScaledMarket& market, const std::vector<Corners>& corners,
                            const TreeSettings& settings);

/// Whether a tree is not done before its nodes are bounded by the best clearing and kTie: where so
/// fine a gap was asked for, and what the maker holds leaves the digits to tell.
bool goes_on_to_the_end(const ScaledMarket& market, double tolerance);

}  // namespace kpm
