#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "numerics/tolerances.hpp"
#include "random_book.hpp"
#include "search/tree/cells_of.hpp"
#include "search/tree/node_solver.hpp"
#include "search/tree/relaxation_program.hpp"

namespace kpm {

namespace {

/// What a tree is searched with.
/// A book whose orders hardly ever share a limit, so that runs are long.
test::RandomBook fine_book(test::Random& random, int states, int claims, int orders) {
  test::RandomBook book(random, states, claims, orders);
  for (double& price : book.price) {
    price += random.uniform(-0.02, 0.02);
  }
  return book;
}

struct Problem {
  Problem(test::Random& random, int states, int claims, int orders)
      : Problem(test::RandomBook(random, states, claims, orders)) {}

  explicit Problem(test::RandomBook drawn)
      : book(std::move(drawn)),
        stairs(compile_staircases(book.market(), book.book())),
        market(book.market(), stairs),
        corners(find_corners(market, stairs)),
        costs(market.claims()),
        solver(market, corners, token) {
    for (const Candidate& candidate : solver.first_clearings().candidates) {
      first_value = std::max(first_value, candidate.value);
    }
  }

  Node root() const {
    Node node;
    node.box = whole(corners);
    node.multipliers = Multipliers(market);
    return node;
  }

  /// Without looking for better clearings, unless the relaxation's optimum is one.
  NodeOutcome process(const Node& node, double incumbent, const Supports& supports) {
    NodeOutcome outcome;
    solver.process(node, {incumbent, costs, supports, false, true}, outcome);
    for (Node& child : outcome.children) {
      child.id = node.id + 1;  // the root is number 0
    }
    return outcome;
  }

  test::RandomBook book;
  std::vector<Staircase> stairs;
  ScaledMarket market;
  std::vector<Corners> corners;
  PseudoCosts costs;
  StopToken token{{}};
  NodeSolver solver;
  double first_value = -kInfinity;
};

/// The value of the best clearing, with those that a node has found.
double best_of(const NodeOutcome& outcome, double incumbent) {
  for (const Candidate& candidate : outcome.candidates) {
    incumbent = std::max(incumbent, candidate.value);
  }
  return incumbent;
}

}  // namespace

TEST(a_node_that_the_supports_of_another_bound_needs_no_relaxation) {
  test::Random random(81);
  int seen = 0;
  for (int trial = 0; trial < 100; ++trial) {
    Problem problem(random, 5, 4, 60);
    const NodeOutcome split = problem.process(problem.root(), problem.first_value, {});
    for (const Node& child : split.children) {
      const NodeOutcome first = problem.process(child, problem.first_value, {});
      if (!(first.relaxations > 0 && first.relaxed < child.bound)) {
        continue;
      }
      ++seen;
      const double incumbent = std::max(problem.first_value, first.relaxed + 1e-6);
      const NodeOutcome again = problem.process(child, incumbent, first.supports);
      CHECK(again.relaxations == 0 && again.children.empty() && again.fathomed.empty());
      CHECK(again.relaxed < incumbent - kTie);
    }
  }
  CHECK(seen >= 20);
}

/// Whatever the supports, the boxes left are the whole of the node's, each with a proof of its
/// bound.
TEST(what_supports_of_other_nodes_cut_is_proved_and_nothing_is_lost) {
  test::Random random(82);
  int cut = 0;
  for (int trial = 0; trial < 100; ++trial) {
    Problem problem(random, 5, 4, 60);
    const NodeOutcome split = problem.process(problem.root(), problem.first_value, {});
    if (split.children.size() != 2) {
      continue;
    }
    const NodeOutcome left = problem.process(split.children[0], problem.first_value, {});
    Supports supports = split.supports;
    supports.insert(supports.end(), left.supports.begin(), left.supports.end());
    const Node& node = split.children[1];
    for (const double above : {0.0, 0.5, 0.9}) {  // of the gap: better clearings, found elsewhere
      const double incumbent = problem.first_value + above * (node.bound - problem.first_value);
      const NodeOutcome outcome = problem.process(node, incumbent, supports);
      double cells = 0.0;
      for (const auto* const boxes : {&outcome.pruned, &outcome.fathomed, &outcome.children}) {
        for (const Node& box : *boxes) {
          cells += test::cells_of(box.box);
          const bool out_of_reach = box.bound == -kInfinity;
          CHECK(out_of_reach || box.multipliers.bound(problem.corners, box.box) <=
                                    box.bound + 1e-12 * (1.0 + std::abs(box.bound)));
        }
      }
      for (const Node& box : outcome.pruned) {
        CHECK(box.bound < best_of(outcome, incumbent) - kTie);
      }
      CHECK(cells == test::cells_of(node.box));
      cut += outcome.pruned.empty() ? 0 : 1;
    }
  }
  CHECK(cut >= 20);
}

/// Whoever asks for no better clearing gets one where the relaxation's optimum is a clearing.
TEST(a_relaxation_on_all_staircases_is_followed_by_its_clearing) {
  test::Random random(83);
  int looked = 0;
  int closed = 0;
  for (int trial = 0; trial < 60; ++trial) {
    Problem problem(random, 5, 4, 60);
    std::vector<Node> open{problem.root()};
    for (int nodes = 0; nodes < 12 && !open.empty(); ++nodes) {
      const Node node = std::move(open.back());
      open.pop_back();
      NodeOutcome outcome = problem.process(node, problem.first_value, {});
      if (outcome.relaxations > 0 && !outcome.candidates.empty()) {
        const double best = best_of(outcome, problem.first_value);
        const double gap = outcome.relaxed - problem.first_value;
        ++looked;
        closed += outcome.relaxed - best <= 0.5 * gap ? 1 : 0;
      }
      for (Node& child : outcome.children) {
        open.push_back(std::move(child));
      }
    }
  }
  CHECK(looked >= 20);
  CHECK(2 * closed >= looked);
}

/// The same bound in fewer iterations: a corner that joins midway takes some.
TEST(a_half_begins_with_corners_beside_those_of_the_whole) {
  test::Random random(84);
  int iterations[] = {0, 0};
  for (int trial = 0; trial < 60; ++trial) {
    Problem problem(fine_book(random, 5, 4, 400));  // runs too long to have all corners
    const NodeOutcome split = problem.process(problem.root(), problem.first_value, {});
    for (const Node& child : split.children) {
      double bound[] = {0.0, 0.0};
      double gap[] = {0.0, 0.0};
      for (const int n : {0, 1}) {
        Arena arena;
        RelaxationProgram program(problem.market, problem.corners, arena);
        program.load(child.box, &child.multipliers, -kInfinity, 0.0, 2 * n);
        program.forget();
        int taken = 0;
        run_predictor_corrector(program, 1e-11, Attempt{0.1, 0.2}, 200, taken, [] {});
        iterations[n] += taken;
        bound[n] = program.bound();
        gap[n] = program.gap();
      }
      CHECK_NEAR(bound[0], bound[1], gap[0] + gap[1]);
    }
  }
  CHECK(iterations[1] < iterations[0]);
}

}  // namespace kpm
