// The boxes below a node, bounded with the risk replaced by a tangent.
#pragma once

#include <vector>

#include "book/corners.hpp"
#include "numerics/arena.hpp"
#include "numerics/checkpoint.hpp"
#include "prices/concave_simplex.hpp"
#include "search/local_search.hpp"
#include "search/tree/node.hpp"
#include "search/tree/run_ends.hpp"

namespace kpm {

/// A relaxation is many iterations, and in most boxes finds once more what the one above it has
/// found: the marginal state prices g and the worst case p hardly change from
/// a box to its halves, the multipliers lambda of prices do. With p and g held, each claim brings a
/// concave, piecewise linear function of its price, the upper hull of (pi - G) y over the run's
/// corners. A simplex method maximises their sum over the state prices, a few pivots from the last
/// box's maximum, and its multipliers bound the box as well as a relaxation's would, or nearly.
class LinearSubtree {
 public:
  /// Boxes that are divided below a node.
  static constexpr int kDivided = 16;
  /// Boxes that the node is left divided into, at most: its halves, and one more for each of those.
  static constexpr int kLeaves = 2 + kDivided;

  /// `cells` climbs from the clearing that a dive ends at.
  LinearSubtree(const ScaledMarket& market, const std::vector<Corners>& corners, Arena& arena,
                Checkpoint& checkpoint, LocalSearch& cells);

  /// Split a node that has been relaxed, by `split` or a better one, then its halves and so on,
  /// best bound first. What is left open are its children. `best` is the value of the best
  /// clearing.
  void grow(const Node& node, const Split& split, double best, const NodeTask& task,
            NodeOutcome& outcome);

 private:
  /// A box, and splits to try.
  struct Branch {
    Node node;
    std::vector<Split> splits;
  };
  enum class Fate { kPruned, kFathomed, kOpen, kExact };
  /// A split tried out.
  struct Trial {
    Branch half[2];
    Fate fate[2] = {Fate::kPruned, Fate::kPruned};
    std::vector<Node> cut;  // off the halves, if such boxes are kept
    double score = 0.0;
  };

  void begin(const NodeTask& task);
  void dive(Branch branch, const NodeTask& task, NodeOutcome& outcome);
  void divide(Branch branch, const NodeTask& task);
  bool try_splits(const Branch& branch, const NodeTask& task);
  Trial try_split(const Branch& branch, const Split& split, double gap, bool keep_pruned);
  Fate judge(Branch& branch, bool keep_pruned, std::vector<Node>& cut);
  void file(Branch&& branch, Fate fate, bool keep_pruned);
  void climb(const Node& node, NodeOutcome& outcome);
  void keep_open();
  Branch take_best();
  void keep_maximum(const Node& node);
  void restore_maximum();
  double bound(Node& node);
  void load(const Box& box, const ArrayView& value);
  void load_hull(int claim, double value);
  void find_point();

  /// The corners that a claim's function in the simplex goes through, and the run they are of.
  struct Hull {
    int first = 0, last = 0;
    std::vector<int> corner;
  };

  const ScaledMarket& market_;
  const std::vector<Corners>& corners_;
  Checkpoint& checkpoint_;
  LocalSearch& cells_;
  ConcaveSimplex simplex_;
  RunEnds ends_;
  std::vector<Hull> hulls_;         // (claims)
  std::vector<int> loaded_;         // claims whose hull is not that of the maximum kept
  Slice prices_, demand_, lambda_;  // (claims) at the maximum
  Multipliers trial_;
  std::vector<double> points_, slopes_;  // of one function
  std::vector<int> cell_;
  std::vector<CellMove> moves_;

  // Of the node at hand.
  double best_ = 0.0;
  NodeOutcome* diving_ = nullptr;  // where a clearing goes
  PseudoCosts costs_;
  std::vector<Fall> falls_;
  std::vector<Branch> halves_;  // of the box divided last, those to be divided
  std::vector<Branch> open_;    // a heap
  std::vector<Node> exact_;     // with a maximum on their staircases: only the tangent is off
  NodeOutcome leaves_;          // handed over at the end, as the node may be abandoned before
};

}  // namespace kpm
