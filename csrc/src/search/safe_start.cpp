#include "search/safe_start.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "ipm/predictor_corrector.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

constexpr int kSteps = 40;          // of prices towards the maker's
constexpr int kMostRounds = 1000;   // of the pay-as-bid problem: one step of each staircase
constexpr double kMostWork = 1e11;  // operations of these, some ten seconds; one is always finished
constexpr double kTolerance = 1e-12;
constexpr int kIterations = 100;
constexpr Attempt kAttempts[] = {{0.01, 0.6, 0.1}, {0.1, 0.2}, {1.0, 0.01}};

}  // namespace

SafeStart::SafeStart(const ScaledMarket& market, const std::vector<Corners>& corners)
    : market_(market),
      corners_(corners),
      measure_(market, arena_),
      cell_(corners.size(), 0),
      demand_(Array::Zero(market.claims())),
      price_(market.claims()),
      loss_(-market.inventory),
      worst_case_(market.states()),
      marginal_(market.states()),
      multipliers_(market),
      trial_(market) {
  support();
  no_trade_ = -rho_;
}

const Multipliers& SafeStart::multipliers() {
  if (bound_ == kInfinity) {
    take_bound();
  }
  return multipliers_;
}

/// rho at the present losses, and the p and g that support it.
void SafeStart::support() {
  rho_ = measure_.evaluate(loss_);
  worst_case_ = measure_.worst_case() / measure_.worst_case().sum();
  marginal_ = worst_case_;
  divergence_ = 0.0;
  if (market_.kind != Ambiguity::kSimplex) {
    marginal_ *= (market_.risk_aversion * (loss_ - rho_)).exp();
    marginal_ /= marginal_.sum();
    divergence_ = (marginal_ * (loss_ - rho_)).sum();
  }
}

/// The certainty equivalent of the clearing on the flats at these prices.
double SafeStart::evaluate(const Array& state_prices) {
  market_.value_claims(state_prices, price_);
  double revenue = 0.0;
  for (int k = 0; k < market_.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const Corners& corners = corners_[at];
    const double price = price_[k];
    const int piece =
        std::clamp(corners.above_price(0, corners.pieces(), price) - 1, 0, corners.pieces() - 1);
    // A price on a limit is the upper flat's least.
    cell_[at] = Staircase::is_step(piece) ? piece + 1 : piece;
    demand_[k] = corners.demand[static_cast<std::size_t>(cell_[at])];
    revenue += price * demand_[k];
  }
  owe();
  support();
  take_bound();
  return revenue - rho_;
}

/// The losses of the present demand.
void SafeStart::owe() {
  market_.owe(demand_, loss_);
  loss_ -= market_.inventory;
}

void SafeStart::take_bound() {
  trial_.worst_case() = worst_case_;
  trial_.marginal_state_prices() = marginal_;
  trial_.set(market_, divergence_);
  const double bound = trial_.bound(corners_);
  if (bound < bound_) {
    bound_ = bound;
    multipliers_ = trial_;
  }
}

Candidate SafeStart::follow() {
  Candidate best;
  take_bound();
  auto optimum = std::make_shared<CellOptimum>(market_.states(), market_.claims());
  Array prices = marginal_;
  for (int step = 0; step < kSteps && best.value < no_trade_; ++step) {
    const double value = evaluate(prices);
    if (value > best.value || step == 0) {
      best.value = value;
      best.cell = cell_;
      optimum->state_prices = prices;
      optimum->demand = demand_;
      optimum->multipliers.setZero();
      optimum->worst_case = worst_case_;
      optimum->marginal_state_prices = marginal_;
      optimum->divergence = divergence_;
      optimum->ambiguity_price = measure_.multiplier();
      optimum->objective = value;
      optimum->bound = bound_;
    }
    prices += (2.0 / (step + 3.0)) * (marginal_ - prices);
  }
  best.optimum = std::move(optimum);
  best.solved = false;
  return best;
}

/// The demand of the steps that are loaded. Returns the operations that it took.
double SafeStart::solve_steps(DemandProgram& steps, Checkpoint& checkpoint) {
  const double size = steps.size();
  const double of_one = size * size * market_.states() + operations_of_iteration(size);
  double work = 0.0;
  const auto pause = [&] {
    work += of_one;
    checkpoint.pass(of_one);
  };
  steps.forget();
  int iterations = 0;
  for (const Attempt& attempt : kAttempts) {
    if (run_predictor_corrector(steps, kTolerance, attempt, kIterations, iterations, pause) !=
        LoopOutcome::kStalled) {
      break;
    }
  }
  steps.write_demand(demand_);
  return work;
}

std::vector<int> SafeStart::equilibrium(Checkpoint& checkpoint) {
  std::vector<int> cell = cell_;
  std::vector<int> before;  // the last cell but one: rounding may alternate between two
  Hull hull(market_.claims(), 2 * market_.claims(), arena_);
  DemandProgram steps(market_, arena_);
  const double of_a_round = static_cast<double>(market_.claims()) * market_.states();
  double work = 0.0;
  for (int round = 0; round < kMostRounds && work < kMostWork; ++round) {
    checkpoint.pass(of_a_round);
    work += of_a_round;
    set_cell(hull, corners_, cell);
    for (int k = 0; k < market_.claims(); ++k) {
      demand_[k] = hull.demand_range(k).low;
    }
    steps.load(hull);
    if (!steps.empty()) {
      work += solve_steps(steps, checkpoint);
    }
    owe();
    support();
    if (!steps.empty() && steps.merit() < kInfinity) {
      // At a kink only the interior-point method knows which worst case supports the demand.
      marginal_ = steps.marginal_state_prices();
      worst_case_ = steps.worst_case();
      divergence_ = steps.divergence();
    }
    take_bound();
    std::vector<int> next = cell;
    if (!move(next) || next == before) {
      break;
    }
    before = std::move(cell);
    cell = std::move(next);
  }
  return cell;
}

/// Move each claim whose marginal value lies beyond its piece one piece along its staircase. False
/// if there is none: the marginal state prices are then an equilibrium.
bool SafeStart::move(std::vector<int>& cell) {
  bool moved = false;
  market_.value_claims(marginal_, price_);
  for (int k = 0; k < market_.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const Corners& corners = corners_[at];
    const int piece = cell[at];
    const auto low = static_cast<std::size_t>(piece);
    const double value = price_[k];
    const double slack = Staircase::is_step(piece)
                             ? kRoughStepEnd * (corners.demand[low] - corners.demand[low + 1])
                             : 0.0;
    if (piece + 1 < corners.pieces() && value > corners.price[low + 1] &&
        demand_[k] <= corners.demand[low + 1] + slack) {
      ++cell[at];
      moved = true;
    } else if (piece > 0 && value < corners.price[low] &&
               demand_[k] >= corners.demand[low] - slack) {
      --cell[at];
      moved = true;
    }
  }
  return moved;
}

}  // namespace kpm
