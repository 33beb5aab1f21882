#include "cell/cell_solver.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ipm/predictor_corrector.hpp"
#include "numerics/entropy.hpp"
#include "numerics/pair.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

// The first attempt is fast and nearly always enough; the others start afresh where it stalls.
constexpr Attempt kAttempts[] = {{0.01, 0.6, 0.1},
                                 {0.1, 0.2, 0.5, 1e-5},
                                 {1.0, 0.01, 0.5, 1e-4},
                                 {1.0, 0.5, 0.5, 1e-3},
                                 {10.0, 1e-4, 0.5, 1e-2}};

// The simplex method's multipliers are used where all prices that may move have this much room:
// elsewhere other multipliers are optimal too, and central ones bound other cells better.
constexpr double kRoom = 1e-7;

// Of a cell's tolerance: an iteration more, but what its support says of other cells is so much
// more precise that fewer of them may tie.
constexpr double kOfDemand = 0.2;

// At a kink claims are valued at least this share of their price range away from its ends.
constexpr double kMargin = 0.01;

/// The best of a few attempts: of which one to within `enough` is the last, `tolerance` or not.
template <class Program, class Pause>
LoopOutcome solve_program(Program& program, double tolerance, double enough, int max_iterations,
                          int& iterations, Pause&& pause) {
  program.forget();
  iterations = 0;
  LoopOutcome outcome = LoopOutcome::kStalled;
  for (const Attempt& attempt : kAttempts) {
    outcome =
        run_predictor_corrector(program, tolerance, attempt, max_iterations, iterations, pause);
    if (outcome != LoopOutcome::kStalled || program.merit() <= enough) {
      break;
    }
  }
  return program.merit() <= enough ? LoopOutcome::kOptimal : outcome;
}

}  // namespace

CellSolver::CellSolver(const ScaledMarket& market, Arena& arena, Checkpoint* checkpoint)
    : market_(market),
      arena_(arena),
      checkpoint_(checkpoint),
      measure_(market, arena),
      loss_(arena.array(market.states())),
      flat_demand_(arena.array(market.claims())),
      optimum_(market.states(), market.claims()),
      multipliers_(market),
      tried_(market) {
  if (disjoint_sets(market).disjoint()) {
    sums_.emplace(market, arena);
  } else {
    simplex_.emplace(market, arena, checkpoint);
  }
}

/// Count an iteration.
void CellSolver::pass() const {
  if (checkpoint_ != nullptr) {
    checkpoint_->pass(operations_of_iteration(market_.claims() + market_.states()));
  }
}

CellSolver::Outcome CellSolver::solve(const Hull& hull, const Settings& settings) {
  const Forget forget{*this};
  load_steps(hull);
  const double rounding = kGapRounding * (1.0 + magnitude());
  const double tolerance = std::max(0.5 * settings.tolerance, rounding);
  int price_iterations = 0;
  int step_iterations = 0;
  settle_prices(hull, settings, price_iterations);
  if (settings.rough && optimum_.primal_residual > kPriceTolerance) {
    iterations_ = 0;
    return Outcome::kStalled;
  }
  LoopOutcome outcome = LoopOutcome::kOptimal;
  if (has_steps()) {
    outcome = solve_program(program(), std::max(kOfDemand * settings.tolerance, rounding),
                            tolerance, settings.max_iterations, step_iterations, [&] { pass(); });
  }
  iterations_ = std::max(price_iterations, step_iterations);
  finish(hull, 2.0 * tolerance);
  // Judged by what is returned, not by how it was found.
  if (std::abs(optimum_.bound - optimum_.objective) <= 2.0 * tolerance &&
      optimum_.primal_residual <= settings.tolerance) {
    return Outcome::kOptimal;
  }
  return outcome == LoopOutcome::kIterationLimit ? Outcome::kIterationLimit : Outcome::kStalled;
}

/// The program of the steps, made for the first cell in which something may trade.
void CellSolver::load_steps(const Hull& hull) {
  bool wanted = program_.has_value();
  for (int k = 0; !wanted && k < hull.claims(); ++k) {
    const Range demand = hull.demand_range(k);
    wanted = demand.low != 0.0 || demand.high != 0.0;
  }
  if (wanted) {
    program().load(hull);
  }
}

bool CellSolver::reachable(const Hull& hull) {
  reached_ = false;
  if (simplex_) {
    simplex_->reset();
  }
  for (int k = 0; k < market_.claims(); ++k) {
    const Range price = hull.price_range(k);
    const Range demand = hull.demand_range(k);
    if (simplex_) {
      simplex_->set_range(k, price.low, price.high);
    } else if (sums_) {
      sums_->set_range(k, price.low, price.high);
    }
    flat_demand_[k] = demand.low == demand.high ? demand.low : 0.0;
  }
  reached_ = simplex_ ? simplex_->feasible() : sums_ && sums_->feasible();
  return reached_;
}

/// Prices where nothing trades, if no trade is supported at a kink: nothing is to be earned, so any
/// that reach the cell are optimal, and what supports it is such. No multipliers are exact.
bool CellSolver::settle_without_trade(const Hull& hull) {
  bool trades = has_steps() || market_.kind == Ambiguity::kNone;
  for (int k = 0; !trades && k < hull.claims(); ++k) {
    trades = hull.demand[hull.first[k]] != 0.0;
  }
  if (trades) {
    return false;
  }
  if (idle_ == nullptr && !no_trade_supported(hull)) {
    never_idle_ = true;
    return false;
  }
  optimum_.state_prices = *idle_;
  optimum_.multipliers.setZero();
  optimum_.primal_residual = kSimplexTolerance;
  optimum_.dual_residual = 0.0;
  return true;
}

/// Prices at a vertex of those that reach the cell, if any do.
CellSolver::Vertex CellSolver::settle_at_vertex(const Hull& hull) {
  if (!reached_ && !reachable(hull)) {
    return Vertex::kNone;
  }
  reached_ = false;  // what follows moves on
  optimum_.primal_residual = kSimplexTolerance;
  optimum_.dual_residual = 0.0;
  bool regular = false;
  if (sums_) {
    sums_->maximise(flat_demand_, optimum_.state_prices);
    optimum_.multipliers.setConstant(sums_->multiplier());
    regular = sums_->unique_multipliers(kRoom);
  } else if (simplex_) {
    simplex_->maximise(flat_demand_);
    for (int i = 0; i < market_.states(); ++i) {
      optimum_.state_prices[i] = simplex_->state_price(i);
    }
    for (int k = 0; k < market_.claims(); ++k) {
      optimum_.multipliers[k] = simplex_->multiplier(k);
    }
    optimum_.primal_residual = std::max(kSimplexTolerance, simplex_->violation());
    regular = simplex_->unique_multipliers(kRoom);
  }
  return regular ? Vertex::kRegular : Vertex::kDegenerate;
}

void CellSolver::settle_prices(const Hull& hull, const Settings& settings, int& iterations) {
  iterations = 0;
  if (settle_without_trade(hull)) {
    return;
  }
  // The simplex method first: the state prices that reached the cell are a few pivots from the
  // best, and the prices of many claims leave it hardly any interior.
  if (simplex_) {
    simplex_->keep_to_doubles(settings.rough);
  }
  const Vertex vertex = settle_at_vertex(hull);
  if (simplex_) {
    simplex_->keep_to_doubles(false);
  }
  if (settings.rough) {
    optimum_.primal_residual = vertex == Vertex::kNone ? kInfinity : optimum_.primal_residual;
    return;
  }
  if (vertex == Vertex::kRegular ||
      (vertex == Vertex::kDegenerate && !settings.central_multipliers)) {
    return;
  }
  const double tolerance = 0.5 * settings.tolerance;
  reached_ = false;
  PriceProgram& program = prices_ ? *prices_ : prices_.emplace(market_, arena_);
  program.load(hull);
  program.forget();
  run_predictor_corrector(program, tolerance, kAttempts[0], settings.max_iterations, iterations,
                          [&] { pass(); });
  // Multipliers whose rounding exceeds the tolerance prove nothing.
  const bool settled = program.merit() <= tolerance &&
                       program.primal_residual() <= kPriceTolerance &&
                       kGapRounding * program.largest_multiplier() <= tolerance;
  if (!settled && settle_at_vertex(hull) != Vertex::kNone) {
    return;
  }
  if (program.merit() == kInfinity) {  // numbers out of range from the start: no point to speak of
    optimum_.state_prices = market_.prior;
    optimum_.multipliers.setZero();
    optimum_.primal_residual = optimum_.dual_residual = kInfinity;
    return;
  }
  for (int i = 0; i < market_.states(); ++i) {
    optimum_.state_prices[i] = program.state_price(i);
  }
  for (int k = 0; k < market_.claims(); ++k) {
    optimum_.multipliers[k] = program.multiplier(k);
  }
  optimum_.primal_residual = program.primal_residual();
  optimum_.dual_residual = program.dual_residual();
}

/// Value the demand exactly, and bound every clearing of the cell by what supports it.
void CellSolver::finish(const Hull& hull, double tolerance) {
  double revenue = 0.0;
  for (int k = 0; k < hull.claims(); ++k) {
    optimum_.demand[k] = hull.demand[hull.first[k]];
  }
  // If the method has kept no point, the losses without steps are taken.
  const bool solved = has_steps() && program().merit() < kInfinity;
  if (solved) {
    program().write_demand(optimum_.demand);
  }
  for (Eigen::Index i = 0; i < loss_.size(); ++i) {
    loss_[i] = -market_.inventory[i];
  }
  for (int k = 0; k < hull.claims(); ++k) {
    add_row(optimum_.demand[k], &market_.payoffs(k, 0), loss_.size(), loss_.data());
  }
  const double rho = solved
                         ? measure_.evaluate(loss_, program().risk(), program().ambiguity_price())
                         : measure_.evaluate(loss_);

  for (int k = 0; k < hull.claims(); ++k) {
    const Range range = hull.price_range(k);
    const double price = dot(&market_.payoffs(k, 0), optimum_.state_prices.data(), loss_.size());
    revenue += std::clamp(price, range.low, range.high) * optimum_.demand[k];
  }
  optimum_.objective = revenue - rho;
  optimum_.risk = rho;

  if (!solved) {
    support_demand(rho);
    if (!has_steps()) {
      support_kink(hull);
    }
    optimum_.bound = bound(hull);
    return;
  }
  support_optimum();
  optimum_.bound = bound(hull);
  if (optimum_.bound - optimum_.objective <= tolerance) {
    return;
  }
  // The method stopped short of the optimum: what supports the demand that it reached may be
  // better.
  const double stopped = optimum_.bound;
  std::swap(multipliers_, tried_);
  support_demand(rho);
  optimum_.bound = bound(hull);
  if (!(optimum_.bound < stopped)) {
    support_optimum();
    optimum_.bound = stopped;
    std::swap(multipliers_, tried_);
  }
  if (program().size() == 1 && optimum_.bound - optimum_.objective > tolerance) {
    search_step(hull, revenue);
  }
}

/// The only step, searched to its last digit.
void CellSolver::search_step(const Hull& hull, double revenue) {
  const int k = program().claim(0);
  const double price = hull.price_range(k).low;
  const double* const row = &market_.payoffs(k, 0);
  double& demand = optimum_.demand[k];
  const double elsewhere = revenue - price * demand;
  add_row(-demand, row, loss_.size(), loss_.data());
  StepSearch& search = step_search_ ? *step_search_ : step_search_.emplace(market_, arena_);
  search.run(row, price, hull.demand_range(k), loss_, measure_);
  tried_.worst_case() = search.worst_case();
  tried_.marginal_state_prices() = search.marginal_state_prices();
  const double objective = elsewhere + search.worth();
  const double bound = bound_by(tried_, search.divergence(), hull);
  if (bound - objective < optimum_.bound - optimum_.objective) {
    demand = search.demand();
    optimum_.objective = objective;
    optimum_.risk = price * demand - search.worth();
    optimum_.bound = bound;
    optimum_.worst_case = search.worst_case();
    optimum_.marginal_state_prices = search.marginal_state_prices();
    optimum_.divergence = search.divergence();
    optimum_.ambiguity_price = search.ambiguity_price();
    std::swap(multipliers_, tried_);
  }
}

/// p and g of the interior-point method.
void CellSolver::support_optimum() {
  optimum_.worst_case = program().worst_case();
  optimum_.marginal_state_prices = program().marginal_state_prices();
  optimum_.divergence = program().divergence();
  // At the returned losses a kink is exact; near one only the method knows the multiplier.
  const bool smooth = market_.kind == Ambiguity::kBall && measure_.multiplier() > 0.0;
  optimum_.ambiguity_price = smooth ? program().ambiguity_price() : measure_.multiplier();
  optimum_.dual_residual = std::max(optimum_.dual_residual, program().dual_residual());
}

/// p and g at the demand as it is.
void CellSolver::support_demand(double rho) {
  optimum_.divergence = 0.0;
  optimum_.ambiguity_price = measure_.multiplier();
  measure_.support(loss_, rho, optimum_.worst_case, optimum_.marginal_state_prices);
  if (market_.kind == Ambiguity::kSimplex) {
    optimum_.marginal_state_prices = optimum_.worst_case;
  } else {
    optimum_.divergence = (optimum_.marginal_state_prices * (loss_ - rho)).sum();
  }
}

/// At a kink of rho many (g, p) support the demand as well. One that values every claim within its
/// price range makes no neighbouring cell look better, so it may prove more than this cell; one
/// that keeps away from the ranges' ends makes none look as good. Of each kind, the nearest to the
/// prior.
void CellSolver::support_kink(const Hull& hull) {
  if (measure_.multiplier() != 0.0) {
    return;
  }
  const auto worst = [this](int i) { return measure_.worst_case()[i] > 0.0; };
  for (const double margin : {0.0, kMargin}) {
    const bool known = margin == 0.0 && (idle_ != nullptr || never_idle_);
    const Slice* const nearest = known ? idle_ : project_on_ranges(hull, margin, worst);
    if (nearest == nullptr) {
      return;
    }
    optimum_.marginal_state_prices = optimum_.worst_case = *nearest;
    optimum_.divergence = 0.0;
  }
}

/// The nearest to the prior of the distributions of some states that value every claim within its
/// price range, by a margin; null where the ambiguity does not allow it.
template <class Counts>
const Slice* CellSolver::project_on_ranges(const Hull& hull, double margin, Counts&& counts) {
  InformationProjection& nearest =
      projection_ ? *projection_ : projection_.emplace(market_, arena_, checkpoint_);
  nearest.clear();
  for (int i = 0; i < market_.states(); ++i) {
    if (counts(i)) {
      nearest.add_state(i);
    }
  }
  for (int k = 0; k < hull.claims(); ++k) {
    const Range price = hull.price_range(k);
    const double inset = margin * (price.high - price.low);
    nearest.set_range(k, price.low + inset, price.high - inset);
  }
  const bool allowed =
      nearest.settle(market_.ambiguity) &&
      relative_entropy_of(nearest.distribution(), market_.prior) <= market_.ambiguity;
  return allowed ? &nearest.distribution() : nullptr;
}

bool CellSolver::no_trade_supported(const Hull& hull) {
  idle_ = nullptr;
  idle_ = project_on_ranges(hull, 0.0, [this](int i) { return market_.inventory[i] == 0.0; });
  return idle_ != nullptr;
}

double CellSolver::bound(const Hull& hull) {
  multipliers_.worst_case() = optimum_.worst_case;
  multipliers_.marginal_state_prices() = optimum_.marginal_state_prices;
  return bound_by(multipliers_, optimum_.divergence, hull);
}

/// The bound by p and g with the prices' multipliers.
double CellSolver::bound_by(Multipliers& support, double divergence, const Hull& hull) const {
  support.lambda() = optimum_.multipliers;
  support.set(market_, divergence);
  double bound = support.constant;
  for (int k = 0; k < hull.claims(); ++k) {
    double most = -kInfinity;
    for (int c = hull.first[k]; c < hull.first[k + 1]; ++c) {
      most = std::max(most, support.worth(k, hull.price[c], hull.demand[c]));
    }
    bound += most;
  }
  return bound;
}

}  // namespace kpm
