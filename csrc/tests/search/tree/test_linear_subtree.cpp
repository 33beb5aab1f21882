#include <algorithm>
#include <limits>

#include "numerics/tolerances.hpp"
#include "random_book.hpp"
#include "search/tree/cells_of.hpp"
#include "search/tree/linear_subtree.hpp"
#include "search/tree/node_solver.hpp"

namespace kpm {

namespace {

/// A tree, and what grows below its nodes.
struct Problem {
  explicit Problem(test::Random& random)
      : book(random, 6, 5, 60),
        stairs(compile_staircases(book.market(), book.book())),
        market(book.market(), stairs),
        corners(find_corners(market, stairs)),
        costs(market.claims()),
        solver(market, corners, token),
        checkpoint(own_token),
        cells(market, corners, arena, checkpoint),
        subtree(market, corners, arena, checkpoint, cells) {}

  /// The root's halves and the value of the best clearing known. No halves: it needs no splitting.
  double split_root(std::vector<Node>& halves) {
    double best = -kInfinity;
    const auto note = [&](const NodeOutcome& outcome) {
      for (const Candidate& candidate : outcome.candidates) {
        best = std::max(best, candidate.value);
      }
    };
    note(solver.first_clearings());
    Node root;
    root.box = whole(corners);
    root.multipliers = Multipliers(market);
    NodeOutcome outcome;
    solver.process(root, {best, costs, Supports(), false, true}, outcome);
    note(outcome);
    halves = std::move(outcome.children);
    return best;
  }

  /// Below a node, whose widest run is split in the middle first.
  NodeOutcome grow(const Node& node, double best, bool climb = false, bool keep = true) {
    Split split;
    int most = 0;
    for (int k = 0; k < node.box.claims(); ++k) {
      const auto at = static_cast<std::size_t>(k);
      const int width = node.box.last[at] - node.box.first[at];
      if (width > most) {
        most = width;
        split = {k, node.box.first[at] + width / 2, 1.0};
      }
    }
    NodeOutcome outcome;
    subtree.grow(node, split, best, {best, costs, {}, climb, keep}, outcome);
    return outcome;
  }

  test::RandomBook book;
  std::vector<Staircase> stairs;
  ScaledMarket market;
  std::vector<Corners> corners;
  PseudoCosts costs;
  StopToken token{{}};
  NodeSolver solver;
  int looks = std::numeric_limits<int>::max();  // at the subtree's token, until it stops
  StopToken own_token{[this] { return looks-- > 0; }, [](double) {}};
  Arena arena;
  Checkpoint checkpoint;
  LocalSearch cells;
  LinearSubtree subtree;
};

}  // namespace

TEST(the_boxes_below_a_node_tile_it_and_each_has_a_proof_of_its_bound) {
  test::Random random(91);
  int pruned = 0;
  int open = 0;
  for (int trial = 0; trial < 100; ++trial) {
    Problem problem(random);
    std::vector<Node> halves;
    const double best = problem.split_root(halves);
    for (const Node& node : halves) {
      for (const double above : {0.0, 0.9}) {  // of the gap: better clearings, found elsewhere
        const double incumbent = best + above * (node.bound - best);
        const NodeOutcome outcome = problem.grow(node, incumbent);
        double cells = 0.0;
        for (const auto* const boxes : {&outcome.pruned, &outcome.fathomed, &outcome.children}) {
          for (const Node& box : *boxes) {
            cells += test::cells_of(box.box);
            CHECK(box.bound <= node.bound);
            CHECK(box.multipliers.bound(problem.corners, box.box) <=
                  box.bound + 1e-12 * (1.0 + std::abs(box.bound)));
          }
        }
        CHECK(cells == test::cells_of(node.box));
        for (const Node& box : outcome.pruned) {
          CHECK(box.bound < incumbent - kTie);
        }
        pruned += outcome.pruned.empty() ? 0 : 1;
        open += outcome.children.empty() ? 0 : 1;
        CHECK(outcome.falls.size() >= 2 && outcome.candidates.empty());
      }
    }
  }
  CHECK(pruned >= 20 && open >= 20);
}

/// A relaxation is free to choose g and p as well, so its bound of a box is no worse. Of what it
/// gains below the node much is gained without it, even in books of few claims and large orders.
TEST(bounds_below_a_node_come_near_those_of_relaxations) {
  test::Random random(92);
  double linear = 0.0;
  double relaxed = 0.0;
  for (int trial = 0; trial < 60; ++trial) {
    Problem problem(random);
    std::vector<Node> halves;
    const double best = problem.split_root(halves);
    for (const Node& node : halves) {
      for (Node box : problem.grow(node, best).children) {
        box.id = 1;
        const double bound = box.bound;
        NodeOutcome own;
        problem.solver.process(box, {best, problem.costs, Supports(), false, false}, own);
        if (own.relaxations > 0) {
          CHECK_AT_MOST(own.relaxed, bound, kTie);
          linear += node.bound - std::max(bound, best);  // what is lower is pruned as well
          relaxed += node.bound - std::max(own.relaxed, best);
        }
      }
    }
  }
  CHECK(relaxed > 0.0);
  CHECK(linear > 0.3 * relaxed);
}

/// A dive ends at a clearing, which cannot be better than the node's bound, and leaves no box.
TEST(a_dive_finds_clearings_and_changes_nothing_else) {
  test::Random random(93);
  int found = 0;
  for (int trial = 0; trial < 100; ++trial) {
    Problem problem(random);
    std::vector<Node> halves;
    problem.split_root(halves);
    for (const Node& node : halves) {
      const double nothing = node.bound - 1.0;  // as if no clearing were known
      const NodeOutcome outcome = problem.grow(node, nothing, true);
      double cells = 0.0;
      for (const auto* const boxes : {&outcome.pruned, &outcome.fathomed, &outcome.children}) {
        for (const Node& box : *boxes) {
          cells += test::cells_of(box.box);
        }
      }
      CHECK(cells == test::cells_of(node.box));
      for (const Candidate& candidate : outcome.candidates) {
        bool inside = true;
        for (std::size_t k = 0; k < candidate.cell.size(); ++k) {
          inside = inside && candidate.cell[k] >= node.box.first[k] &&
                   candidate.cell[k] <= node.box.last[k];
        }
        if (inside) {
          ++found;
          CHECK_AT_MOST(candidate.value, node.bound, kTie);
        }
      }
    }
  }
  CHECK(found >= 20);
}

/// What a limit interrupts leaves the node as it was, and what comes after it, too.
TEST(an_abandoned_subtree_hands_over_no_boxes) {
  test::Random random(94);
  int abandoned = 0;
  for (int trial = 0; trial < 40; ++trial) {
    Problem problem(random);
    std::vector<Node> halves;
    const double best = problem.split_root(halves);
    for (const Node& node : halves) {
      const NodeOutcome whole = problem.grow(node, best, true);
      problem.looks = 5;
      NodeOutcome outcome;
      try {
        outcome = problem.grow(node, best, true);
      } catch (const Abandoned&) {
        ++abandoned;
        CHECK(outcome.children.empty() && outcome.pruned.empty() && outcome.fathomed.empty());
      }
      problem.looks = std::numeric_limits<int>::max();
      problem.own_token.renew();
      const NodeOutcome again = problem.grow(node, best, true);
      CHECK(again.children.size() == whole.children.size());
      for (std::size_t n = 0; n < whole.children.size(); ++n) {
        CHECK(again.children[n].bound == whole.children[n].bound);
      }
    }
  }
  CHECK(abandoned > 0);
}

}  // namespace kpm
