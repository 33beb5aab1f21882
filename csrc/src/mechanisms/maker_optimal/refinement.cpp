#include "mechanisms/maker_optimal/refinement.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "book/units.hpp"
#include "cell/cell_solver.hpp"
#include "cell/hull.hpp"
#include "mechanisms/levels.hpp"
#include "mechanisms/publication.hpp"
#include "numerics/tolerances.hpp"
#include "numerics/twofold.hpp"
#include "risk/risk_measure.hpp"

namespace kpm {

namespace {

constexpr double kCoarse = 1e5;        // times the maker's own money: a unit that hides it
constexpr double kLeftOpen = 1e-8;     // of the unit: more than a search leaves undetermined
constexpr double kFiner = 1e-4;        // of the last unit: more than the solver leaves undetermined
constexpr double kMostAverse = 1e6;    // aversion times unit: above, only the worst state counts
constexpr double kWorthless = 1024.0;  // over the aversion: a state this much better has no price

/// The refinement of a clearing chosen in a cell of the traded market.
Refinement refinement_of(const Market& market, const TradedMarket& traded,
                         const std::vector<Staircase>& stairs, const Choice& choice) {
  const ScaledMarket& scaled = traded.market();
  std::vector<int> cell(stairs.size(), 0);
  std::vector<double> demand(stairs.size(), 0.0);
  for (int k = 0; k < scaled.claims(); ++k) {
    const auto source = static_cast<std::size_t>(scaled.original[static_cast<std::size_t>(k)]);
    cell[source] = choice.cell[static_cast<std::size_t>(k)];
    const Piece range = stairs[source].piece(cell[source]);
    demand[source] = std::clamp(choice.demand[k] * (scaled.scale / scaled.span[k]),
                                range.demand_low, range.demand_high);
  }
  return {market, stairs, std::move(cell), std::move(demand),
          to_vector(traded.restore(choice.state_prices))};
}

/// The optimum of a cell, as close as that of a candidate.
const CellOptimum& optimum_of(CellSolver& solver, const Hull& hull) {
  CellSolver::Settings settings;
  settings.tolerance = kCandidateTolerance;
  settings.central_multipliers = false;
  solver.solve(hull, settings);
  return solver.optimum();
}

/// The cell of the trial clearing, solved in the whole book.
Choice solve_again(const ScaledMarket& scaled, const std::vector<Staircase>& stairs,
                   const Choice& trial) {
  Choice choice = trial;
  Arena arena;
  Hull hull(scaled.claims(), 2 * scaled.claims(), arena);
  set_cell(hull, scaled, stairs, choice.cell.data());
  CellSolver solver(scaled, arena);
  const CellOptimum& optimum = optimum_of(solver, hull);
  choice.demand = optimum.demand;
  choice.worst_case = optimum.worst_case;
  choice.marginal_state_prices = optimum.marginal_state_prices;
  choice.multipliers = optimum.multipliers;
  return choice;
}

}  // namespace

Refinement::Refinement(const Market& market, const std::vector<Staircase>& stairs,
                       std::vector<int> cell, std::vector<double> demand,
                       const std::vector<double>& state_prices)
    : market_(&market),
      stairs_(&stairs),
      cell_(std::move(cell)),
      demand_(std::move(demand)),
      steps_(market, stairs, 1.0) {
  set_prices(state_prices);
  keep_steps();
}

void Refinement::set_prices(const std::vector<double>& state_prices) {
  price_.resize(stairs_->size());
  for (std::size_t k = 0; k < stairs_->size(); ++k) {
    const Piece range = (*stairs_)[k].piece(cell_[k]);
    const double least = (*stairs_)[k].price_min;
    price_[k] = std::clamp(least + above_least(*market_, k, least, state_prices), range.price_low,
                           range.price_high);
  }
}

void Refinement::keep_steps() {
  std::vector<int> steps;
  for (int k = 0; k < steps_.claims(); ++k) {
    const int source = steps_.original[static_cast<std::size_t>(k)];
    if (Staircase::is_step(cell_[static_cast<std::size_t>(source)])) {
      steps.push_back(k);
    }
  }
  steps_ = steps_.of_claims(steps);
}

/// The maker's payoff by state, money.
Array Refinement::position() const {
  Array payoff(market_->states);
  for (int i = 0; i < market_->states; ++i) {
    Twofold sum = market_->inventory[i];
    for (std::size_t k = 0; k < stairs_->size(); ++k) {
      const double paid = market_->payoffs[static_cast<std::ptrdiff_t>(k) * market_->states + i];
      sum += (Twofold(price_[k]) - paid) * demand_[k];
    }
    payoff[i] = static_cast<double>(sum);
  }
  return payoff;
}

double Refinement::certainty_equivalent() const {
  Arena arena;
  const Eigen::Map<const Array> prior(market_->prior, market_->states);
  RiskMeasure measure(prior, market_->risk_aversion, market_->ambiguity, arena);
  return -measure.evaluate(-position());
}

/// Improve the demand by one unit of money at most.
void Refinement::change(double unit) {
  const double aversion = std::min(market_->risk_aversion, kMostAverse / unit);
  const Array payoff = position();
  const double most = kWorthless / aversion + 4.0 * unit * steps_.claims();
  steps_.scale = unit;
  steps_.inventory_floor = payoff.minCoeff();
  steps_.inventory = (payoff - steps_.inventory_floor).min(most) / unit;
  steps_.risk_aversion = aversion * unit;

  Arena arena;
  Hull hull(steps_.claims(), 2 * steps_.claims(), arena);
  set_pieces(hull, [&](int k) {
    const auto source = static_cast<std::size_t>(steps_.original[static_cast<std::size_t>(k)]);
    const Piece range = (*stairs_)[source].piece(cell_[source]);
    const double price = steps_.price(k, range.price_low);
    return Piece{price, price, std::max(steps_.demand(k, range.demand_low - demand_[source]), -1.0),
                 std::min(steps_.demand(k, range.demand_high - demand_[source]), 1.0)};
  });
  CellSolver solver(steps_, arena);
  const CellOptimum& optimum = optimum_of(solver, hull);

  RiskMeasure measure(steps_, arena);
  Array loss(market_->states);
  steps_.owe(optimum.demand, loss);
  double worth = -measure.evaluate(loss - steps_.inventory);
  for (int k = 0; k < steps_.claims(); ++k) {
    worth += hull.price[2 * k] * optimum.demand[k];
  }
  const double before = -measure.evaluate(-steps_.inventory);
  if (!(worth > before + kGapRounding * (1.0 + before))) {
    return;  // a step along a free direction would only undo the rule's choice
  }
  for (int k = 0; k < steps_.claims(); ++k) {
    const auto source = static_cast<std::size_t>(steps_.original[static_cast<std::size_t>(k)]);
    const Piece range = (*stairs_)[source].piece(cell_[source]);
    demand_[source] = std::clamp(demand_[source] + optimum.demand[k] * (unit / steps_.span[k]),
                                 range.demand_low, range.demand_high);
  }
  worst_case_ = optimum.worst_case;
  marginal_ = optimum.marginal_state_prices;
}

void Refinement::improve(double open) {
  if (steps_.claims() == 0) {
    return;
  }
  const double least = own_money(*market_);
  for (double unit = open; unit > least; unit *= kFiner) {
    change(unit);
  }
  change(least);
}

void refine(const Market& market, const TradedMarket& traded, const std::vector<Staircase>& stairs,
            const Choice* trial, Choice& choice) {
  const ScaledMarket& scaled = traded.market();
  if (!(scaled.scale > kCoarse * own_money(market)) || !has_giants(market, stairs)) {
    return;
  }
  Refinement best = refinement_of(market, traded, stairs, choice);
  best.improve(kLeftOpen * scaled.scale);
  double value = best.certainty_equivalent();
  if (trial != nullptr) {
    Choice again = solve_again(scaled, stairs, *trial);
    Refinement other = refinement_of(market, traded, stairs, again);
    other.improve(scaled.scale);
    const double worth = other.certainty_equivalent();
    if (worth > value) {
      choice = std::move(again);
      best = std::move(other);
      value = worth;
    }
  }
  for (int k = 0; k < scaled.claims(); ++k) {
    const auto source = static_cast<std::size_t>(scaled.original[static_cast<std::size_t>(k)]);
    choice.demand[k] = scaled.demand(k, best.demand()[source]);
  }
  if (best.worst_case().size() > 0) {
    choice.worst_case = traded.merge(best.worst_case());
    choice.marginal_state_prices = traded.merge(best.marginal_state_prices());
  }
  choice.worth = (value - scaled.inventory_floor) / scaled.scale;
}

}  // namespace kpm
