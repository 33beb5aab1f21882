#include "search/tree/node_solver.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/tolerances.hpp"
#include "risk/risk_measure.hpp"
#include "search/start_cells.hpp"
#include "search/tree/rectangle_search.hpp"
#include "search/tree/relaxation_program.hpp"

namespace kpm {

namespace {

constexpr int kStartCells = 2;         // clearings before the tree, at most
constexpr double kClimbing = 0.5;      // of the gap: where a climb leaves more a relaxation follows
constexpr int kRelaxIterations = 60;   // of the interior-point method in a node
constexpr double kBranchShare = 0.02;  // of the distance to the best: accuracy of a relaxation
constexpr int kBeside = 2;  // of the halves of a box, whose best corners are near its own
constexpr double kRelaxTolerance = 1e-12;
constexpr Attempt kAttempts[] = {{0.1, 0.2}, {1.0, 0.01}};
constexpr int kMany = 64;  // claims from which neighbours of clearings and boxes below nodes pay
constexpr double kNear = 0.5;    // of the gap: neighbours of clearings farther off are not tried
constexpr double kOff = 0.1;     // of the gap: what the hulls overstate next to it is nothing
constexpr double kSteep = 0.03;  // of the deviation of losses: how the risk rises from a kink
constexpr double kSeen = 0.003;  // of a run's demand: less may be what the relaxation left open

}  // namespace

NodeSolver::NodeSolver(const ScaledMarket& market, const std::vector<Corners>& corners,
                       StopToken& token, double unpolled)
    : market_(market),
      corners_(corners),
      checkpoint_(token, unpolled),
      cells_(market, corners, arena_, checkpoint_),
      ranges_(market, arena_, &checkpoint_),
      ends_(corners),
      dear_(market.claims() >= kMany && !market.disjoint.disjoint()) {
  if (market.claims() >= kMany) {
    neighbours_.emplace(market, corners, arena_, checkpoint_, cells_);
  }
}

NodeSolver::~NodeSolver() = default;  // here the relaxation's type is known

int NodeSolver::most_leaves(int claims) { return claims >= kMany ? LinearSubtree::kLeaves : 2; }

void NodeSolver::process(Node node, const NodeTask& task, NodeOutcome& outcome) {
  outcome.restart();
  outcome.half = node.half;
  try {
    examine(node, task, outcome);
  } catch (const Abandoned&) {
    // Children are handed out last, after all that can be abandoned: the node waits again.
    count(outcome);
    outcome.relaxed = node.bound;
    outcome.children.push_back(std::move(node));
  }
}

void NodeSolver::examine(Node& node, const NodeTask& task, NodeOutcome& outcome) {
  double incumbent = task.incumbent;
  const bool root = node.id == 0;  // all prices are in it
  if (!root) {
    cells_.forget();  // counts must not depend on which nodes this thread had before
    if (const std::optional<Array> lambda = separation(node.box)) {
      node.multipliers.worst_case() = node.multipliers.marginal_state_prices() = market_.prior;
      node.multipliers.lambda() = *lambda;
      node.bound = -kInfinity;
      outcome.pruned.push_back(std::move(node));
      return;
    }
    narrow(node, task, outcome);
    if (node.bound < incumbent - kTie) {
      outcome.relaxed = node.bound;
      outcome.pruned.push_back(std::move(node));
      return;
    }
    if (node.bound <= incumbent + kTie) {
      outcome.relaxed = node.bound;
      outcome.fathomed.push_back(std::move(node));
      return;
    }
  }
  if (node.box.is_cell()) {
    cells_.solve(node.box.first, outcome.candidates);
    count(outcome);
    take_bound_of_cell(node);
    outcome.fathomed.push_back(std::move(node));
    return;
  }

  if (root && close_root_by_cells(node, incumbent, outcome)) {
    outcome.relaxed = node.bound;
    outcome.fathomed.push_back(std::move(node));
    return;
  }
  relax(node, incumbent);
  outcome.relaxed = node.bound;
  outcome.relaxations = 1;
  outcome.iterations += relaxation_iterations_;
  outcome.columns = relaxation_->columns();
  if (node.bound < incumbent - kTie) {
    outcome.add_support(relaxation_->multipliers());
    outcome.pruned.push_back(std::move(node));
    return;
  }
  double best = incumbent;
  // Where no hull overstates much of the gap the relaxation's optimum is that of a cell, and to
  // look for that takes less than to split the box until it is found.
  if (task.climb || choose(node, incumbent, task).area <= kOff * (node.bound - incumbent)) {
    best = std::max(best, cells_.climb(round(node), moves_, node.multipliers, outcome.candidates));
    count(outcome);
    take_bound_of_cell(node);
    outcome.add_support(cells_.multipliers());
    best = std::max(best, search_neighbours(node.bound, incumbent, outcome));
  }
  if (node.bound > best + kTie && relaxation_->gap() > kBranchShare * (node.bound - best)) {
    // The clearing found is so good that the relaxation was solved too coarsely.
    refine(node, best);
    outcome.relaxed = node.bound;
    outcome.iterations += relaxation_iterations_;
  }
  outcome.add_support(relaxation_->multipliers());
  const double own = ends_.bound(node.multipliers, node.box);
  ends_.cut(node, node.multipliers, own, best - kTie, task.keep_pruned, outcome.pruned);
  if (node.bound < best - kTie) {
    outcome.pruned.push_back(std::move(node));
  } else if (node.bound <= best + kTie) {
    outcome.fathomed.push_back(std::move(node));
  } else if (node.box.is_cell()) {
    outcome.children.push_back(std::move(node));
  } else if (!node.along_risk || !search_along_risk(node, best, outcome)) {
    if (root && !task.keep_pruned && RectangleSearch::serves(market_)) {
      outcome.whole.push_back(node);
      outcome.whole.back().along_risk = true;
    }
    split(std::move(node), best, task, outcome);
  }
}

/// What a search along the risk leaves of a node is its only child. False where that cannot be, or
/// takes too long.
bool NodeSolver::search_along_risk(Node& node, double best, NodeOutcome& outcome) {
  node.along_risk = false;
  Array loss(market_.states());
  market_.owe(relaxation_->demand(), loss);
  loss -= market_.inventory;
  RiskMeasure measure(market_, arena_);
  const double risk = measure.evaluate(loss, 0.0, relaxation_->ambiguity_price());
  const double nu = measure.multiplier();
  // At a kink nu is zero. Beside a large one, of a tiny ambiguity, what the sums are to add up to
  // is lost in their rounding.
  if (!(nu > 0.0 && kGapRounding * (1.0 + std::abs(risk) + nu) <= kOfAProof)) {
    return false;
  }
  RectangleSearch search(market_, corners_, checkpoint_, cells_, node.box, {risk, nu},
                         -node.multipliers.lambda().mean());
  const std::optional<RectangleSearch::Left> left =
      search.run(best, node.enough, outcome.candidates);
  count(outcome);
  if (!left) {
    return false;
  }
  if (!left->box.first.empty()) {
    node.box = left->box;
    node.bound = std::min({node.bound, std::max(left->bound, best + 2.0 * kTie),
                           node.multipliers.bound(corners_, node.box)});
    outcome.children.push_back(std::move(node));
  }
  return true;
}

/// Climb from the cell solved last while that closes the gap fast, until the multipliers of a cell
/// on the way bound the whole box by the best clearing. At the optimum they often do, where the
/// relaxation's optimum is that of a cell: then no relaxation is needed.
bool NodeSolver::close_root_by_cells(Node& node, double& incumbent, NodeOutcome& outcome) {
  if (!cells_.has_optimum()) {
    return false;
  }
  double gap = kInfinity;
  if (bound_of_root_ < node.bound) {  // by the cell solved last, too
    node.bound = bound_of_root_;
    node.multipliers = cells_.multipliers();
  } else {
    take_bound_of_cell(node);
  }
  if (node.bound > incumbent + kTie && !cells_.promising()) {
    count(outcome);
    return false;
  }
  // Half of infinity is infinity: where no cell was reached there is nothing to climb from.
  while (node.bound > incumbent + kTie && node.bound - incumbent <= kClimbing * gap &&
         node.bound - incumbent < kInfinity) {
    gap = node.bound - incumbent;
    incumbent = std::max(incumbent, cells_.climb_once(outcome.candidates));
    take_bound_of_cell(node);
  }
  count(outcome);
  return node.bound <= incumbent + kTie;
}

/// Neighbours of the node's best clearing, where that is not far from the best known.
double NodeSolver::search_neighbours(double bound, double incumbent, NodeOutcome& outcome) {
  if (!neighbours_) {
    return -kInfinity;
  }
  const auto best =
      std::max_element(outcome.candidates.begin(), outcome.candidates.end(),
                       [](const Candidate& a, const Candidate& b) { return a.value < b.value; });
  if (best == outcome.candidates.end() || best->value < incumbent - kNear * (bound - incumbent)) {
    return -kInfinity;
  }
  const double value = neighbours_->run(Candidate(*best), outcome.candidates);
  count(outcome);
  return value;
}

/// Multipliers that prove that no state prices reach the box; none if some do.
std::optional<Array> NodeSolver::separation(const Box& box) {
  ranges_.reset();
  for (int k = 0; k < claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    ranges_.set_range(k, corners_[at], box.first[at], box.last[at]);
  }
  if (ranges_.feasible()) {
    return std::nullopt;
  }
  Array lambda(claims());
  double sum = 0.0;
  for (int k = 0; k < claims(); ++k) {
    lambda[k] = ranges_.farkas_multiplier(k);
    sum += std::max(lambda[k] * ranges_.range_low(k), lambda[k] * ranges_.range_high(k));
  }
  Array push(market_.states());
  market_.owe(lambda, push);
  sum += (-push).maxCoeff();
  if (sum >= -separation_beyond_rounding(claims()) * lambda.abs().sum()) {
    return std::nullopt;  // out of reach by hardly more than rounding: the relaxation decides
  }
  return lambda;
}

void NodeSolver::relax(Node& node, double incumbent) {
  if (!relaxation_) {
    relaxation_ = std::make_unique<RelaxationProgram>(market_, corners_, arena_);
  }
  const int beside = node.id == 0 ? 0 : kBeside;
  relaxation_->load(node.box, &node.multipliers, incumbent - kTie, kBranchShare, beside);
  relaxation_->forget();
  relaxation_iterations_ = 0;
  try {
    for (const Attempt& attempt : kAttempts) {
      const auto result =
          run_predictor_corrector(*relaxation_, kRelaxTolerance, attempt, kRelaxIterations,
                                  relaxation_iterations_, [&] { pass(); });
      if (result != LoopOutcome::kStalled) {
        break;
      }
    }
  } catch (const Abandoned&) {
    take_bound(node);
    throw;
  }
  take_bound(node);
}

/// Count an iteration of a relaxation.
void NodeSolver::pass() {
  checkpoint_.pass(operations_of_iteration(claims() + market_.states() + relaxation_->columns()));
}

void NodeSolver::refine(Node& node, double incumbent) {
  relaxation_->raise_incumbent(incumbent - kTie);
  relaxation_iterations_ = 0;
  continue_predictor_corrector(*relaxation_, kRelaxTolerance, kAttempts[0], kRelaxIterations,
                               relaxation_iterations_, [&] { pass(); });
  take_bound(node);
}

void NodeSolver::take_bound(Node& node) const {
  if (relaxation_->bound() < node.bound) {
    node.bound = relaxation_->bound();
    node.multipliers = relaxation_->multipliers();
  }
}

/// The multipliers of the cell solved last bound any box. Where prices have hardly any room, the
/// simplex method's are better than the relaxation's.
void NodeSolver::take_bound_of_cell(Node& node) const {
  const double bound = cells_.multipliers().bound(corners_, node.box);
  if (bound < node.bound) {
    node.bound = bound;
    node.multipliers = cells_.multipliers();
  }
}

/// Cells and iterations since the last count.
void NodeSolver::count(NodeOutcome& outcome) {
  outcome.cells += cells_.cells();
  outcome.iterations += cells_.iterations();
  cells_.reset_counts();
}

/// What a claim's demand, if it is moved to a flat, costs by the curvature of the risk, about and
/// at least. Under multipliers such a move often costs nothing.
double NodeSolver::lost_on_flat(int claim, double demand) const {
  const Multipliers& of = relaxation_->multipliers();
  const auto off = market_.payoffs.row(claim).transpose().array() - of.value()[claim];
  const double squares = demand * demand * (of.marginal_state_prices() * off.square()).sum();
  const bool smooth = market_.kind == Ambiguity::kNone || relaxation_->ambiguity_price() > 0.0;
  return smooth ? 0.5 * market_.risk_aversion * squares : kSteep * std::sqrt(squares);
}

/// The cell at the relaxation's prices, and the moves to steps that its demand suggests: those
/// nearer to it, and of the whole book also those at whose prices less is lost than on a flat.
std::vector<int> NodeSolver::round(const Node& node) {
  const Box& box = node.box;
  std::vector<int> cell(box.first.size());
  moves_.clear();
  for (int k = 0; k < box.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const Corners& corners = corners_[at];
    const int first = box.first[at];
    const int last = box.last[at];
    const double price = market_.payoffs.row(k).dot(relaxation_->state_prices().matrix());
    const double demand = relaxation_->demand()[k];
    cell[at] = corners.piece_at_price(first, last, price);
    const auto flat = static_cast<std::size_t>(cell[at]);
    const int by_demand = corners.piece_at_demand(first, last, demand);
    const auto step = static_cast<std::size_t>(by_demand);
    const double off_demand =
        std::max(demand - corners.demand[flat], corners.demand[flat + 1] - demand);
    const double off_price = std::max(corners.price[step] - price, price - corners.price[step + 1]);
    const double prices = corners.price[static_cast<std::size_t>(last) + 1] -
                          corners.price[static_cast<std::size_t>(first)];
    const double demands = corners.demand[static_cast<std::size_t>(first)] -
                           corners.demand[static_cast<std::size_t>(last) + 1];
    const auto cheap = [&] {
      const double lost = std::abs(relaxation_->multipliers().lambda()[k]) * off_price;
      return off_demand > kSeen * demands && lost < lost_on_flat(k, off_demand);
    };
    if (by_demand != cell[at] &&
        (off_price * demands < off_demand * prices || (node.id == 0 && cheap()))) {
      moves_.push_back({k, by_demand, -off_price});
    } else if (prices == 0.0 && by_demand != cell[at]) {
      cell[at] = by_demand;
    }
  }
  return cell;
}

/// Narrow a node by the supports of others. Boxes split alike elsewhere have multipliers alike, and
/// to try them all takes a fraction of a relaxation.
void NodeSolver::narrow(Node& node, const NodeTask& task, NodeOutcome& outcome) {
  const double threshold = task.incumbent - kTie;
  checkpoint_.pass(static_cast<double>(task.supports.size()) * claims());
  for (std::size_t later = 0; later < task.supports.size(); ++later) {
    const Multipliers& support = task.supports.back(later);
    const double bound = ends_.bound(support, node.box);
    if (bound < node.bound) {
      node.bound = bound;
      node.multipliers = support;
    }
    if (node.bound >= threshold) {
      ends_.cut(node, support, bound, threshold, task.keep_pruned, outcome.pruned);
    }
    if (node.bound < threshold) {
      return;
    }
  }
}

Split NodeSolver::choose(const Node& node, double best, const NodeTask& task) const {
  const CurvedWorth curved(market_, relaxation_->multipliers(), relaxation_->ambiguity_price());
  return choose_split(node.box, corners_, relaxation_->prices(), relaxation_->demand(),
                      node.bound - best, task.costs, &curved);
}

void NodeSolver::split(Node&& node, double best, const NodeTask& task, NodeOutcome& outcome) {
  const Split chosen = choose(node, best, task);
  if (dear_) {
    if (!subtree_) {
      subtree_.emplace(market_, corners_, arena_, checkpoint_, cells_);
    }
    subtree_->grow(node, chosen, best, task, outcome);
    count(outcome);
    return;
  }
  const auto at = static_cast<std::size_t>(chosen.claim);
  outcome.children.push_back(std::move(outcome.spare));
  outcome.children.back() = node;
  outcome.children.push_back(std::move(node));
  for (const bool upper : {false, true}) {
    Node& child = outcome.children[upper ? 1 : 0];
    child.half = {chosen.claim, upper, chosen.area, child.bound};
    (upper ? child.box.first[at] : child.box.last[at]) = chosen.piece + (upper ? 1 : 0);
    child.bound = std::min(child.bound, child.multipliers.bound(corners_, child.box));
  }
}

NodeOutcome NodeSolver::solve(const std::vector<int>& cell) {
  return unless_abandoned([&](NodeOutcome& outcome) {
    if (!separation({cell, cell})) {
      cells_.solve(cell, outcome.candidates);
    }
  });
}

NodeOutcome NodeSolver::first_clearings() {
  return unless_abandoned([this](NodeOutcome& outcome) { first_clearings(outcome); });
}

/// What the work has found by its end, or by the time it is abandoned.
template <class Work>
NodeOutcome NodeSolver::unless_abandoned(Work&& work) {
  NodeOutcome outcome;
  try {
    work(outcome);
  } catch (const Abandoned&) {
    count(outcome);  // a cell left half solved has no optimum
    return outcome;
  }
  count(outcome);
  return outcome;
}

void NodeSolver::first_clearings(NodeOutcome& outcome) {
  if (starts_at_kink() && prove_no_trade_optimal(outcome)) {
    return;
  }
  bool first = true;
  visit_start_cells(market_, corners_, kStartCells, [&](const std::vector<int>& cell) {
    const double value = cells_.solve(cell, outcome.candidates);
    if (first && value == -kInfinity) {
      outcome.candidates.push_back(
          {value, cell, nullptr});  // the prior's prices are in it, but for rounding
    }
    first = false;
    return &cells_.optimum().marginal_state_prices;
  });
}

/// Whether the worst case without trade is on the worst states alone.
bool NodeSolver::starts_at_kink() const {
  double worst = 0.0;
  for (int i = 0; i < market_.states(); ++i) {
    worst += market_.inventory[i] == 0.0 ? market_.prior[i] : 0.0;
  }
  return market_.kind != Ambiguity::kNone &&
         (market_.inventory.maxCoeff() == 0.0 || market_.ambiguity >= -std::log(worst));
}

/// Whether the cell in which the maker need not trade is as good as any. At a kink of its risk that
/// is so in many books, and proved sooner than the best cell is reached by climbing.
bool NodeSolver::prove_no_trade_optimal(NodeOutcome& outcome) {
  std::vector<int> cell(corners_.size());
  for (int k = 0; k < claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const Corners& corners = corners_[at];
    const int piece = corners.piece_at_demand(0, corners.pieces() - 1, 0.0);
    // Where a step ends at zero demand, so does the flat before it, whose prices are free.
    const bool at_end = piece > 0 && corners.demand[static_cast<std::size_t>(piece) - 1] == 0.0;
    cell[at] = at_end ? piece - 1 : piece;
    const auto corner = static_cast<std::size_t>(cell[at]);
    if (corners.demand[corner] < 0.0 || corners.demand[corner + 1] > 0.0) {
      return false;  // some orders are filled at any price
    }
  }
  if (!cells_.no_trade_supported(cell)) {
    return false;
  }
  const double value = cells_.solve(cell, outcome.candidates);
  count(outcome);
  if (value == -kInfinity) {
    return false;
  }
  const double bound = cells_.multipliers().bound(corners_);
  if (bound > value + kTie) {
    return false;
  }
  bound_of_root_ = bound;
  return true;
}

}  // namespace kpm
