#include "selection/demand_rule.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "numerics/linear_equations.hpp"
#include "numerics/tolerances.hpp"
#include "selection/active_sets.hpp"
#include "selection/exact_steps.hpp"
#include "selection/open_steps.hpp"

namespace kpm {

namespace {

constexpr double kKink = 1e-10;     // ambiguity price, scaled, of a worst case without entropy
constexpr double kNearKink = 1e-6;  // scaled money: losses no farther apart may be equal
constexpr double kLastDigit = 2 * std::numeric_limits<double>::epsilon();

}  // namespace

DemandRule::DemandRule(const ScaledMarket& market, const std::vector<Staircase>& stairs,
                       Arena& arena, Checkpoint& checkpoint)
    : market_(market), stairs_(stairs), checkpoint_(checkpoint), measure_(market, arena) {}

const Staircase& DemandRule::stairs(int claim) const {
  return stairs_[static_cast<std::size_t>(market_.original[static_cast<std::size_t>(claim)])];
}

DemandRule::Step DemandRule::step(int claim, int piece) const {
  const Piece box = stairs(claim).piece(piece);
  const auto l = static_cast<std::size_t>(piece / 2);
  Step step{};
  step.claim = claim;
  step.low = market_.demand(claim, box.demand_low);
  step.high = market_.demand(claim, box.demand_high);
  step.bids = market_.demand(claim, stairs(claim).buy[l]);
  step.offers = market_.demand(claim, stairs(claim).sell[l]);
  step.filled = step.low + step.bids;  // offers at the limit are all in the low end
  step.price = market_.price(claim, box.price_low);
  return step;
}

double DemandRule::risk(const Array& demand) {
  Array loss(market_.states());
  market_.owe(demand, loss);
  loss -= market_.inventory;
  return measure_.evaluate(loss);
}

double DemandRule::revenue(const Array& demand, const std::vector<int>& cell) const {
  double sum = 0.0;
  for (int k = 0; k < market_.claims(); ++k) {
    const int piece = cell[static_cast<std::size_t>(k)];
    if (Staircase::is_step(piece)) {
      sum += demand[k] * market_.price(k, stairs(k).piece(piece).price_low);
    }
  }
  return sum;
}

/// Revenue of the steps minus rho: what the choice of demand changes.
double DemandRule::value(const Array& demand, const std::vector<int>& cell) {
  checkpoint_.pass(static_cast<double>(market_.claims()) * market_.states());
  return revenue(demand, cell) - risk(demand);
}

/// Move demands to the ends of their steps, all of them or one by one, where that costs no more
/// than `tie`.
void DemandRule::move_to_ends(const std::vector<Move>& moves, const std::vector<int>& cell,
                              double tie, Array& demand) {
  if (moves.empty()) {
    return;
  }
  double most = 0.0;  // price and payoff of a unit of demand are at most one
  Array moved = demand;
  for (const Move& move : moves) {
    most += 2.0 * std::abs(move.end - demand[move.claim]);
    moved[move.claim] = move.end;
  }
  const double least = most > tie ? value(demand, cell) - tie : -kInfinity;
  if (most <= tie || value(moved, cell) >= least) {
    demand = moved;
    return;
  }
  for (const Move& move : moves) {
    moved = demand;
    moved[move.claim] = move.end;
    if (value(moved, cell) >= least) {
      demand = moved;
    }
  }
}

/// States whose payoff the optimum determines.
std::vector<int> DemandRule::counting_states(const CellOptimum& solution) const {
  std::vector<int> counting;
  counting.reserve(static_cast<std::size_t>(market_.states()));
  for (int i = 0; i < market_.states(); ++i) {
    if (solution.marginal_state_prices[i] > kPinningStatePrice) {
      counting.push_back(i);
    }
  }
  return counting;
}

/// The equations "the losses of these states change equally". Rows: states; columns: steps, then
/// the common shift.
Eigen::MatrixXd DemandRule::equal_losses(const std::vector<int>& states,
                                         const std::vector<OpenStep>& open) const {
  const auto m = static_cast<Eigen::Index>(open.size());
  Eigen::MatrixXd rows(static_cast<Eigen::Index>(states.size()), m + 1);
  for (Eigen::Index i = 0; i < rows.rows(); ++i) {
    for (Eigen::Index k = 0; k < m; ++k) {
      const OpenStep& step = open[static_cast<std::size_t>(k)];
      rows(i, k) = market_.payoffs(step.claim, states[static_cast<std::size_t>(i)]);
    }
    rows(i, m) = -1.0;
  }
  const auto shorter = static_cast<double>(std::min(rows.rows(), rows.cols()));
  checkpoint_.pass(4.0 * static_cast<double>(rows.size()) * shorter);  // of their decomposition
  return rows;
}

/// The kernel of equal_losses(), of disjoint claims: demand for a claim that pays in none of the
/// states is free; all others rise by the shift, if one of them pays in every state.
Matrix DemandRule::free_directions(const std::vector<int>& states,
                                   const std::vector<OpenStep>& open) const {
  const auto m = static_cast<Eigen::Index>(open.size());
  std::vector<Eigen::Index> row(static_cast<std::size_t>(market_.claims()), -1);
  for (Eigen::Index k = 0; k < m; ++k) {
    row[static_cast<std::size_t>(open[static_cast<std::size_t>(k)].claim)] = k;
  }
  Vector shift = Vector::Zero(m + 1);
  shift[m] = 1.0;
  bool shifts = true;
  for (const int state : states) {
    const int claim = market_.disjoint.claim_of(state);
    const Eigen::Index k =
        claim == DisjointClaims::kNone ? -1 : row[static_cast<std::size_t>(claim)];
    shifts = shifts && k >= 0;
    if (k >= 0) {
      shift[k] = 1.0;
    }
  }
  const Eigen::Index free = (shift.array() == 0.0).count();
  Matrix directions = Matrix::Zero(m + 1, free + (shifts ? 1 : 0));
  Eigen::Index column = 0;
  for (Eigen::Index k = 0; k < m; ++k) {
    if (shift[k] == 0.0) {
      directions(k, column++) = 1.0;
    }
  }
  if (shifts) {
    directions.col(column) = shift.normalized();
  }
  return directions;
}

/// Directions of the open steps' demand along which neither revenue nor risk changes: the losses
/// of all states that count move alike. One column a direction, in shares of each step's height.
Matrix DemandRule::open_directions(const CellOptimum& solution,
                                   const std::vector<OpenStep>& open) const {
  if (market_.disjoint.disjoint()) {
    return free_directions(counting_states(solution), open);
  }
  return kernel(equal_losses(counting_states(solution), open), kDependentDirection);
}

/// At a kink the worst states have exactly equal losses; the interior-point method and the moves to
/// the ends of steps leave differences of about 1e-7 of what trades. Remove them by the least
/// change of the demand inside its steps, unless the clearing would be worth less.
void DemandRule::equalise_losses(const CellOptimum& solution, const std::vector<int>& cell,
                                 const std::vector<Step>& steps, Array& demand) {
  // Next to equal losses rho is their mean and sqrt(2 Omega) times their deviation, so that the
  // price of ambiguity tells how far they are apart.
  if (market_.kind == Ambiguity::kNone ||
      solution.ambiguity_price * std::sqrt(2.0 * market_.ambiguity) > kNearKink) {
    return;
  }
  std::vector<OpenStep> inside;
  std::copy_if(steps.begin(), steps.end(), std::back_inserter(inside), [&](const Step& step) {
    return step.low < demand[step.claim] && demand[step.claim] < step.high;
  });
  if (inside.empty()) {
    return;
  }
  checkpoint_.pass(static_cast<double>(market_.claims()) * market_.states());
  Array loss(market_.states());
  market_.owe(demand, loss);
  loss -= market_.inventory;
  const double worst = loss.maxCoeff();
  std::vector<int> tied;
  for (int i = 0; i < market_.states(); ++i) {
    if (loss[i] >= worst - kNearKink) {
      tied.push_back(i);
    }
  }
  const Array apart = loss(tied) - loss(tied).mean();
  if (apart.abs().maxCoeff() <= kLastDigit * loss.abs().maxCoeff()) {
    return;
  }
  const Vector change =
      least_norm_solution(equal_losses(tied, inside), -apart.matrix(), kDependentDirection);
  Array equal = demand;
  for (std::size_t at = 0; at < inside.size(); ++at) {
    const OpenStep& step = inside[at];
    double& moved = equal[step.claim];
    moved = std::clamp(moved + change[static_cast<Eigen::Index>(at)], step.low, step.high);
  }
  const double rounding = kGapRounding * (1.0 + market_.inventory.maxCoeff());
  if (value(equal, cell) >= value(demand, cell) - rounding) {
    demand = equal;
  }
}

/// The open steps' demand of least regret.
void DemandRule::choose_open(const CellOptimum& solution, const std::vector<int>& cell,
                             const std::vector<OpenStep>& open, double tie, Array& demand) {
  if (open.empty()) {
    return;
  }
  const Matrix directions = open_directions(solution, open);
  const auto m = static_cast<Eigen::Index>(open.size());
  const auto d = directions.cols();
  if (d == 0) {
    return;
  }
  // States that do not count now must not begin to: their loss stays below the worst, and where
  // the risk is smooth it rises no further than to where the state's price is still nothing.
  const Array loss = (market_.payoffs.transpose() * demand.matrix()).array() - market_.inventory;
  const double worst = loss.maxCoeff();
  std::vector<int> idle;
  for (int i = 0; i < market_.states(); ++i) {
    if (solution.marginal_state_prices[i] <= kPinningStatePrice) {
      idle.push_back(i);
    }
  }
  const auto r = static_cast<Eigen::Index>(idle.size());
  Matrix limits(r, d);
  Array room(r);
  const bool kink = solution.ambiguity_price <= kKink;
  const double rho = kink || r == 0 ? worst : measure_.evaluate(loss);
  for (Eigen::Index i = 0; i < r; ++i) {
    checkpoint_.pass(static_cast<double>(m * d));
    const int state = idle[static_cast<std::size_t>(i)];
    limits.row(i) = -directions.row(m);
    for (Eigen::Index k = 0; k < m; ++k) {
      limits.row(i) +=
          market_.payoffs(open[static_cast<std::size_t>(k)].claim, state) * directions.row(k);
    }
    room[i] = worst - loss[state];
    const double probability = solution.worst_case[state];
    if (!kink && probability > 0.0) {
      // g = p exp(alpha (loss - rho))
      const double most = rho + std::log(kIdleStatePrice / probability) / market_.risk_aversion;
      room[i] = std::clamp(most - loss[state], 0.0, room[i]);
    }
  }
  const FaceProblem face = face_of(open, demand, directions, std::move(limits), std::move(room));
  const Array best =
      minimise_by_active_sets(face, project_on_face(face, &checkpoint_), &checkpoint_);
  const auto worth = [&](const Array& trial) { return value(trial, cell); };
  approach(open, best, worth, worth(demand) - tie, demand);
}

ChosenDemand DemandRule::choose(const CellOptimum& solution, const std::vector<int>& cell,
                                double tie) {
  ChosenDemand chosen{cell, solution.demand};
  if (std::none_of(cell.begin(), cell.end(), Staircase::is_step)) {
    return chosen;  // flats have no other demand
  }
  std::vector<Step> steps;
  std::vector<StepRange> ranges;
  steps.reserve(static_cast<std::size_t>(market_.claims()));
  ranges.reserve(static_cast<std::size_t>(market_.claims()));
  for (int k = 0; k < market_.claims(); ++k) {
    const int piece = cell[static_cast<std::size_t>(k)];
    if (Staircase::is_step(piece)) {
      const Step& at = steps.emplace_back(step(k, piece));
      ranges.push_back({k, at.price, at.low, at.high});
    }
  }
  const Array value_of_claim = (market_.payoffs * solution.marginal_state_prices.matrix()).array();
  settle_steps(market_, ranges, solution, value_of_claim, measure_, checkpoint_, chosen.demand);
  std::vector<Move> wanted;  // ends that the maker prefers, where demand is almost there
  for (Step& at : steps) {
    const int k = at.claim;
    const double height = at.high - at.low;
    const double gain = at.price - value_of_claim[k];
    const double end = gain > 0.0 ? at.high : at.low;
    const double rest = std::abs(end - chosen.demand[k]);
    if (std::abs(gain) * height > tie &&
        (rest <= kStepEnd * height || rest * std::abs(gain) <= tie)) {
      wanted.push_back({k, end});
      at.wanted = true;
      at.end = end;
    }
  }
  move_to_ends(wanted, cell, tie, chosen.demand);
  std::vector<OpenStep> open;
  open.reserve(steps.size());
  for (const Step& step : steps) {
    if (!step.wanted || chosen.demand[step.claim] != step.end) {
      open.push_back(step);
    }
  }
  choose_open(solution, cell, open, tie, chosen.demand);

  std::vector<Move> near;
  for (const Step& step : steps) {
    const double snap = kStepEnd * (step.high - step.low);
    const double demand = chosen.demand[step.claim];
    if (demand >= step.high - snap) {
      near.push_back({step.claim, step.high});
    } else if (demand <= step.low + snap) {
      near.push_back({step.claim, step.low});
    }
  }
  move_to_ends(near, cell, tie, chosen.demand);
  equalise_losses(solution, cell, steps, chosen.demand);
  for (const Step& step : steps) {
    const auto at = static_cast<std::size_t>(step.claim);
    if (chosen.demand[step.claim] == step.high) {
      chosen.cell[at] = cell[at] - 1;
    } else if (chosen.demand[step.claim] == step.low) {
      chosen.cell[at] = cell[at] + 1;
    }
  }
  return chosen;
}

}  // namespace kpm
