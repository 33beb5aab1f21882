#include "selection/selection.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "risk/risk_measure.hpp"
#include "selection/allocation.hpp"

namespace kpm {

namespace {

constexpr double kOpenTie = 1e-11;         // scaled money a choice of demand may cost
constexpr double kRegretTolerance = 1e-6;  // scaled money: regret of what is all but the same
constexpr double kSameVolume = 1e-9;       // relative
constexpr double kSameDivergence = 1e-9;   // nats

}  // namespace

Selection::Selection(const ScaledMarket& market, const std::vector<Staircase>& stairs)
    : market_(market),
      stairs_(stairs),
      hull_(market.claims(), 2 * market.claims(), arena_),
      demand_(market, stairs, arena_),
      prices_(market, arena_) {}

Choice Selection::choose(const std::vector<Candidate>& candidates) {
  std::vector<Choice> choices;
  Settled settled;
  for (const Candidate& candidate : candidates) {
    settle(candidate, settled, choices);
  }
  double value = -kInfinity;
  for (const Choice& choice : choices) {
    value = std::max(value, choice.value);
  }
  std::vector<std::size_t> tied;
  for (std::size_t number = 0; number < choices.size(); ++number) {
    if (choices[number].value >= value - kTie) {
      tied.push_back(number);
    }
  }
  Choice* best = best_of(tied.size() > 1 ? undominated(tied, settled, choices) : tied, choices);
  best = best != nullptr ? best : best_of(tied, choices);
  return best != nullptr ? std::move(*best) : at_prior();
}

/// Those of the tied that give way to no other of them, which rule 2 chose where they were to be
/// had too.
std::vector<std::size_t> Selection::undominated(const std::vector<std::size_t>& tied,
                                                const Settled& settled,
                                                std::vector<Choice>& choices) {
  enum class State : char { kWorse, kStays, kGone };
  std::vector<State> states(choices.size(), State::kWorse);
  for (const std::size_t number : tied) {
    states[number] = State::kStays;
    choices[number].risk = demand_.risk(choices[number].demand);
  }
  const auto steps = [&](std::size_t number) {
    const std::vector<int>& cell = choices[number].cell;
    return std::count_if(cell.begin(), cell.end(), Staircase::is_step);
  };
  std::vector<std::size_t> order = tied;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::make_pair(steps(a), choices[a].cell) < std::make_pair(steps(b), choices[b].cell);
  });
  // Of the same clearing twice, a hair off the end of a step and at it, each may have been turned
  // down where the other was chosen: one after the other, so that one stays.
  for (const std::size_t number : order) {
    const Choice& choice = choices[number];
    const bool gone = std::any_of(settled.begin(), settled.end(), [&](const auto& made) {
      const auto& [cell, chosen] = made;
      const Choice& other = choices[chosen];
      if (chosen == number || states[chosen] == State::kWorse ||
          !is_dominated(choice, other, cell)) {
        return false;
      }
      return states[chosen] == State::kStays ||
             demand_.regret(other.demand, cell) <
                 demand_.regret(choice.demand, cell) - kRegretTolerance;
    });
    states[number] = gone ? State::kGone : State::kStays;
  }
  std::vector<std::size_t> left;
  std::copy_if(tied.begin(), tied.end(), std::back_inserter(left),
               [&](std::size_t number) { return states[number] == State::kStays; });
  return left;
}

/// Whether the choice's demand was to be had in `cell` too, and as good, when rule 2 chose that of
/// the other there.
bool Selection::is_dominated(const Choice& choice, const Choice& other,
                             const std::vector<int>& cell) const {
  if (!part_of(choice.cell, cell)) {
    return false;
  }
  const double money = demand_.revenue(other.demand, cell) - demand_.revenue(choice.demand, cell);
  return money - (other.risk - choice.risk) <= kTie;
}

/// The larger volume, then the nearer state prices, then the first cell; none if no state prices
/// reach any of them.
Choice* Selection::best_of(const std::vector<std::size_t>& numbers, std::vector<Choice>& choices) {
  Choice* best = nullptr;
  for (const std::size_t number : numbers) {
    Choice& choice = choices[number];
    const double most = best != nullptr ? best->volume : 0.0;
    const double margin = kSameVolume * std::max(most, choice.volume);
    if ((best != nullptr && choice.volume < most - margin) || !add_prices(choice)) {
      continue;
    }
    const bool first = best == nullptr || choice.volume > most + margin;
    if (first || choice.divergence < best->divergence - kSameDivergence ||
        (choice.divergence <= best->divergence + kSameDivergence && choice.cell < best->cell)) {
      best = &choice;
    }
  }
  return best;
}

/// The clearing at the prior's own prices, which there always is.
Choice Selection::at_prior() const {
  Choice choice;
  choice.nearest = false;
  choice.state_prices = market_.prior;
  choice.demand.resize(market_.claims());
  choice.multipliers.setZero(market_.claims());
  for (int k = 0; k < market_.claims(); ++k) {
    const Staircase& stairs = claim(k);
    const double share = market_.payoffs.row(k).dot(market_.prior.matrix());
    const double price = market_.offset[k] + market_.span[k] * share;
    const auto limit = std::lower_bound(stairs.limit.begin(), stairs.limit.end(), price);
    const bool on_step = limit != stairs.limit.end() && *limit == price;
    const int piece =
        2 * static_cast<int>(limit - stairs.limit.begin()) + static_cast<int>(on_step);
    choice.cell.push_back(piece);
    choice.demand[k] = market_.demand(k, stairs.piece(piece).demand_low);
  }
  const Array loss =
      (market_.payoffs.transpose() * choice.demand.matrix()).array() - market_.inventory;
  Arena arena;
  RiskMeasure measure(market_, arena);
  const double rho = measure.evaluate(loss);
  choice.worst_case = measure.worst_case() / measure.worst_case().sum();
  choice.marginal_state_prices = choice.worst_case;
  if (market_.kind != Ambiguity::kSimplex) {
    choice.marginal_state_prices *= (market_.risk_aversion * (loss - rho)).exp();
    choice.marginal_state_prices /= choice.marginal_state_prices.sum();
  }
  return choice;
}

/// Choose the demand; where it lies at the end of a step, move to the adjacent flat and choose
/// again, so that each clearing is looked at in one cell only.
void Selection::settle(const Candidate& candidate, Settled& settled, std::vector<Choice>& choices) {
  std::vector<Settled::iterator> way;  // each hop leaves fewer steps: it does not come back
  std::vector<int> cell = candidate.cell;
  for (;;) {
    const auto [place, fresh] = settled.emplace(cell, choices.size());
    if (!fresh) {
      for (const Settled::iterator& passed : way) {
        passed->second = place->second;
      }
      return;
    }
    way.push_back(place);
    const bool at_hand = candidate.optimum && cell == candidate.cell;
    const CellOptimum& optimum = at_hand ? *candidate.optimum : solve(cell);
    ChosenDemand chosen = demand_.choose(optimum, cell, kOpenTie);
    if (chosen.cell != cell) {
      cell = std::move(chosen.cell);
      continue;
    }
    Choice& choice = choices.emplace_back();
    choice.cell = std::move(cell);
    choice.demand = std::move(chosen.demand);
    choice.value = optimum.objective;
    choice.volume = volume(choice);
    choice.worst_case = optimum.worst_case;
    choice.marginal_state_prices = optimum.marginal_state_prices;
    choice.multipliers = optimum.multipliers;
    return;
  }
}

const CellOptimum& Selection::solve(const std::vector<int>& cell) {
  CellSolver& solver = solver_ ? *solver_ : solver_.emplace(market_, arena_);
  set_cell(hull_, market_, stairs_, cell.data());
  CellSolver::Settings settings;
  settings.tolerance = kCandidateTolerance;
  settings.central_multipliers = false;
  solver.solve(hull_, settings);
  iterations_ += solver.iterations();
  return solver.optimum();
}

double Selection::volume(const Choice& choice) const {
  double sum = 0.0;
  for (int k = 0; k < market_.claims(); ++k) {
    const Staircase& stairs = claim(k);
    const int piece = choice.cell[static_cast<std::size_t>(k)];
    const auto l = static_cast<std::size_t>(piece / 2);
    double traded = stairs.sold[l];
    if (Staircase::is_step(piece)) {
      const double net = choice.demand[k] * (market_.scale / market_.span[k]) -
                         stairs.bought[l + 1] + stairs.sold[l];
      const Matched matched = match_at_limit(stairs.buy[l], stairs.sell[l], net);
      traded += stairs.bought[l + 1] + matched.bought + matched.sold;
    } else {
      traded += stairs.bought[l];
    }
    sum += market_.demand(k, traded);
  }
  return sum;
}

/// False if no state prices reach the cell.
bool Selection::add_prices(Choice& choice) {
  const int claims = market_.claims();
  Array low(claims);
  Array high(claims);
  Array flat(claims);
  for (int k = 0; k < claims; ++k) {
    const int piece = choice.cell[static_cast<std::size_t>(k)];
    const Piece range = claim(k).piece(piece);
    low[k] = market_.price(k, range.price_low);
    high[k] = market_.price(k, range.price_high);
    flat[k] = Staircase::is_step(piece) ? 0.0 : market_.demand(k, range.demand_low);
  }
  const bool reached = prices_.solve(low, high, flat);
  choice.nearest = prices_.nearest();
  choice.state_prices = prices_.state_prices();
  choice.divergence = prices_.divergence();
  return reached;
}

const Staircase& Selection::claim(int k) const {
  return stairs_[static_cast<std::size_t>(market_.original[static_cast<std::size_t>(k)])];
}

}  // namespace kpm
