#include "api/selection.hpp"

#include <algorithm>

#include "demand/allocation.hpp"
#include "risk/risk_measure.hpp"

namespace kpm {

namespace {

constexpr double kOpenTie = 1e-11;        // scaled money a choice of demand may cost
constexpr double kSameVolume = 1e-9;      // relative
constexpr double kSameDivergence = 1e-9;  // nats

}  // namespace

Selection::Selection(const ScaledMarket& market, const std::vector<Staircase>& stairs)
    : market_(market),
      stairs_(stairs),
      hull_(market.claims(), 2 * market.claims(), arena_),
      demand_(market, stairs, arena_),
      prices_(market, arena_) {}

Choice Selection::choose(const std::vector<Candidate>& candidates) {
  std::vector<Choice> choices;
  std::set<std::vector<int>> seen;
  double value = -kInfinity;
  for (const Candidate& candidate : candidates) {
    Choice choice;
    if (settle(candidate, seen, choice)) {
      value = std::max(value, choice.value);
      choices.push_back(std::move(choice));
    }
  }
  choices.erase(std::remove_if(choices.begin(), choices.end(),
                               [&](const Choice& c) { return c.value < value - kTie; }),
                choices.end());
  std::vector<char> covered(choices.size(), 0);
  for (std::size_t a = 0; a < choices.size(); ++a) {
    covered[a] = std::any_of(choices.begin(), choices.end(), [&](const Choice& other) {
      return part_of(choices[a].cell, other.cell);
    });
  }
  Choice best;
  bool found = false;
  for (std::size_t a = 0; a < choices.size(); ++a) {
    Choice& choice = choices[a];
    const double margin = kSameVolume * std::max(best.volume, choice.volume);
    if (covered[a] != 0 || (found && choice.volume < best.volume - margin)) {
      continue;
    }
    if (!add_prices(choice)) {
      continue;
    }
    const bool more = choice.volume > best.volume + margin;
    const bool nearer = choice.divergence < best.divergence - kSameDivergence;
    const bool as_near = choice.divergence <= best.divergence + kSameDivergence;
    if (!found || more || nearer || (as_near && choice.cell < best.cell)) {
      best = std::move(choice);
      found = true;
    }
  }
  return found ? best : at_prior();
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
/// again, so that each clearing is looked at in one cell only. False if it was looked at before.
bool Selection::settle(const Candidate& candidate, std::set<std::vector<int>>& seen,
                       Choice& choice) {
  std::vector<int> cell = candidate.cell;
  while (seen.insert(cell).second) {
    const bool at_hand = candidate.optimum && cell == candidate.cell;
    const CellOptimum& optimum = at_hand ? *candidate.optimum : solve(cell);
    ChosenDemand chosen = demand_.choose(optimum, cell, kOpenTie);
    if (chosen.cell != cell) {
      cell = std::move(chosen.cell);
      continue;
    }
    choice.cell = std::move(cell);
    choice.demand = std::move(chosen.demand);
    choice.value = optimum.objective;
    choice.volume = volume(choice);
    choice.worst_case = optimum.worst_case;
    choice.marginal_state_prices = optimum.marginal_state_prices;
    choice.multipliers = optimum.multipliers;
    return true;
  }
  return false;
}

const CellOptimum& Selection::solve(const std::vector<int>& cell) {
  InteriorPoint& solver = solver_ ? *solver_ : solver_.emplace(market_, arena_);
  set_cell(hull_, market_, stairs_, cell.data());
  InteriorPoint::Settings settings;
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
