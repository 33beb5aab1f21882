#include "selection/selection.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "numerics/tolerances.hpp"
#include "risk/risk_measure.hpp"
#include "search/safe_start.hpp"
#include "selection/allocation.hpp"

namespace kpm {

namespace {

constexpr double kSameVolume = 1e-9;      // relative
constexpr double kSameDivergence = 1e-9;  // nats
constexpr double kLost = 1e-10;           // scaled money that chosen prices may cost

/// The greatest certainty equivalent at prices that are the cell's; null if there are none.
const Choice* best_right(const std::vector<Choice>& choices) {
  const Choice* best = nullptr;
  for (const Choice& choice : choices) {
    if (choice.worth > -kInfinity && choice.off <= kPriceTolerance &&
        (best == nullptr || choice.worth > best->worth)) {
      best = &choice;
    }
  }
  return best;
}

}  // namespace

bool Selection::is_right(const Choice& choice) {
  return choice.worth >= choice.value - kLost && choice.off <= kPriceTolerance;
}

Selection::Selection(const ScaledMarket& market, const std::vector<Staircase>& stairs,
                     StopToken& token, StopToken& interruption, Equilibrium equilibrium,
                     double unpolled)
    : market_(market),
      stairs_(stairs),
      interruption_(interruption),
      equilibrium_(std::move(equilibrium)),
      checkpoint_(token, unpolled),
      hull_(market.claims(), 2 * market.claims(), arena_),
      demand_(market, stairs, arena_, checkpoint_),
      near_ends_(market, stairs) {}

Choice Selection::choose(const std::vector<Candidate>& tied,
                         const std::vector<Candidate>& reserve) {
  Choice choice = choose_right(tied, reserve);
  const bool stocked = market_.claims() > 0 && market_.inventory.maxCoeff() > 0.0;
  const double no_trade = stocked ? -demand_.risk(Array::Zero(market_.claims())) : 0.0;
  if (choice.worth < no_trade - kLost) {
    Choice safe = safe_choice();
    if (safe.worth > choice.worth) {
      safe.by_rule &= choice.by_rule;
      return safe;
    }
  }
  return choice;
}

/// The rule's choice among the ties, if its prices are right; else the best that are right of all
/// the search found, or the safe clearing.
Choice Selection::choose_right(const std::vector<Candidate>& tied,
                               const std::vector<Candidate>& reserve) {
  std::vector<Choice> choices;  // all that were compared
  bool by_rule = true;
  try {
    const double size = market_.claims() + market_.states();
    checkpoint_.pass(size * size * size);
    Choice* chosen = choose_tied(tied, choices);
    if (chosen != nullptr && is_right(*chosen)) {
      return std::move(*chosen);
    }
    // One after the other, best first: what is right is better than all that follow.
    for (const Candidate& candidate : reserve) {
      chosen = choose_tied({candidate}, choices);
      if (chosen != nullptr && is_right(*chosen)) {
        break;
      }
    }
  } catch (const Abandoned&) {
    by_rule = false;
  }
  for (const auto* const found : {&tied, &reserve}) {
    for (const Candidate& candidate : *found) {
      if (candidate.optimum && candidate.optimum->state_prices.size() == market_.states()) {
        choices.push_back(as_found(candidate));
      }
    }
  }
  const Choice* best = best_right(choices);
  if (best == nullptr) {
    choices.push_back(safe_choice());
    best = best_right(choices);
  }
  Choice choice = best != nullptr ? *best : choices.back();
  choice.by_rule &= by_rule;
  return choice;
}

/// The rule's choice among candidates that tie; null if no state prices reach any.
Choice* Selection::choose_tied(const std::vector<Candidate>& candidates,
                               std::vector<Choice>& choices) {
  Settled settled;
  const std::size_t first = choices.size();
  for (const Candidate& candidate : candidates) {
    settle(candidate.cell, candidates, settled, choices);
  }
  double value = -kInfinity;
  for (std::size_t number = first; number < choices.size(); ++number) {
    value = std::max(value, choices[number].value);
  }
  std::vector<std::size_t> tied;
  for (std::size_t number = first; number < choices.size(); ++number) {
    if (choices[number].value >= value - kTie) {
      tied.push_back(number);
    }
  }
  Choice* best = best_of(tied.size() > 1 ? undominated(tied, settled, choices) : tied, choices);
  return best != nullptr ? best : best_of(tied, choices);
}

/// The tied choices that no other dominates: one that rule 2 chose in a cell where they were
/// available, too.
std::vector<std::size_t> Selection::undominated(const std::vector<std::size_t>& tied,
                                                const Settled& settled,
                                                std::vector<Choice>& choices) {
  const std::size_t count = tied.size();
  const auto claims = static_cast<double>(market_.claims());
  std::vector<std::size_t> place(choices.size(), count);  // among the tied
  for (std::size_t t = 0; t < count; ++t) {
    place[tied[t]] = t;
    checkpoint_.pass(claims * market_.states());
    risk(choices[tied[t]]);
  }
  // reaches[t * count + u]: u dominates t, or dominates one that dominates t.
  std::vector<char> reaches(count * count, 0);
  std::vector<std::ptrdiff_t> most_steps(count, -1);  // of a cell in which it was chosen
  for (const auto& [cell, chosen] : settled) {
    const std::size_t other = place[chosen];
    if (other == count) {
      continue;
    }
    checkpoint_.pass(claims * static_cast<double>(2 * count + 1));
    most_steps[other] =
        std::max(most_steps[other], std::count_if(cell.begin(), cell.end(), Staircase::is_step));
    for (std::size_t t = 0; t < count; ++t) {
      char& dominated = reaches[t * count + other];
      if (t != other && dominated == 0) {
        dominated = is_dominated(choices[tied[t]], choices[chosen], cell) ? 1 : 0;
      }
    }
  }
  for (std::size_t by = 0; by < count; ++by) {
    checkpoint_.pass(static_cast<double>(count * count));
    for (std::size_t t = 0; t < count; ++t) {
      for (std::size_t u = 0; reaches[t * count + by] != 0 && u < count; ++u) {
        reaches[t * count + u] =
            static_cast<char>(reaches[t * count + u] | reaches[by * count + u]);
      }
    }
  }
  // In exact arithmetic dominance has no cycle. But of one clearing found twice, within rounding of
  // the end of a step and at it, each may have been rejected where the other was chosen: then the
  // choice of the larger cell stays.
  const auto stays = [&](std::size_t t) {
    for (std::size_t u = 0; u < count; ++u) {
      if (u == t || reaches[t * count + u] == 0) {
        continue;
      }
      const bool circle = reaches[u * count + t] != 0;
      const bool larger = most_steps[u] != most_steps[t]
                              ? most_steps[u] > most_steps[t]
                              : choices[tied[u]].cell < choices[tied[t]].cell;
      if (!circle || larger) {
        return false;
      }
    }
    return true;
  };
  std::vector<std::size_t> left;
  for (std::size_t t = 0; t < count; ++t) {
    if (stays(t)) {
      left.push_back(tied[t]);
    }
  }
  return left;
}

/// Whether the choice's demand was available in `cell`, and as good, when rule 2 chose the other's
/// there.
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

/// A clearing as the search left it, at its own state prices.
Choice Selection::as_found(const Candidate& candidate) {
  const CellOptimum& optimum = *candidate.optimum;
  Choice choice;
  choice.cell = candidate.cell;
  choice.demand = optimum.demand;
  choice.value = optimum.objective;
  choice.risk = optimum.risk;
  choice.state_prices = optimum.state_prices.max(0.0);
  choice.state_prices /= choice.state_prices.sum();
  choice.worst_case = optimum.worst_case;
  choice.marginal_state_prices = optimum.marginal_state_prices;
  choice.multipliers = optimum.multipliers;
  choice.nearest = false;
  value_at_prices(choice);
  return choice;
}

/// Where the search holds nothing that is right: the clearing that follows the maker's own prices;
/// where that loses money, the competitive equilibrium at the maker's prices, which is one convex
/// program, and the best of its cell if there is time; where rounding keeps its prices off the
/// limits, the cell in which the same equilibrium is reached step by step. It takes that time even
/// beyond a limit: a clearing that loses money is no answer to one. An interruption still ends it.
Choice Selection::safe_choice() {
  const std::vector<Corners> corners = find_corners(market_, stairs_);
  SafeStart safe(market_, corners);
  Choice choice = as_found(safe.follow());
  if (choice.worth < safe.no_trade() - kTie) {
    try {
      make_safe(safe, choice);
    } catch (const Abandoned&) {
      choice.by_rule = false;
    }
  }
  return choice;
}

/// By an equilibrium, where the clearing at hand loses money.
void Selection::make_safe(SafeStart& safe, Choice& choice) {
  Checkpoint checkpoint(interruption_, kGrace);
  const auto take = [&](Choice&& other) {
    if (other.off <= kPriceTolerance && other.worth > choice.worth) {
      choice = std::move(other);
    }
    return choice.worth >= safe.no_trade() - kTie;
  };
  const Candidate equilibrium = equilibrium_(checkpoint);
  if (take(as_found(equilibrium))) {
    try {
      std::vector<Choice> choices;
      Choice* const best = choose_tied({equilibrium}, choices);
      if (best != nullptr && is_right(*best) && best->worth >= choice.worth - kTie) {
        choice = std::move(*best);
      }
    } catch (const Abandoned&) {
      choice.nearest = false;  // nor is it claimed to be the best of its cell
    }
    return;
  }
  Selection at_equilibrium(market_, stairs_, interruption_, interruption_, equilibrium_, kGrace);
  std::vector<Choice> choices;
  if (Choice* const best =
          at_equilibrium.choose_tied({{0.0, safe.equilibrium(checkpoint), nullptr}}, choices)) {
    take(std::move(*best));
  }
}

/// The certainty equivalent at the published prices, and how far these are off their ranges.
void Selection::value_at_prices(Choice& choice) {
  double revenue = 0.0;
  choice.off = 0.0;
  for (int k = 0; k < market_.claims(); ++k) {
    const Piece range = claim(k).piece(choice.cell[static_cast<std::size_t>(k)]);
    const double low = market_.price(k, range.price_low);
    const double high = market_.price(k, range.price_high);
    const double price = market_.payoffs.row(k).dot(choice.state_prices.matrix());
    choice.off = std::max({choice.off, low - price, price - high});
    revenue += std::clamp(price, low, high) * choice.demand[k];
  }
  choice.worth = revenue - risk(choice);
}

/// That of a cell's own optimum has been found by who solved it.
double Selection::risk(Choice& choice) {
  if (choice.risk == kInfinity) {
    choice.risk = demand_.risk(choice.demand);
  }
  return choice.risk;
}

/// Choose the demand; where it lies at the end of a step, move to the adjacent flat and choose
/// again, so that each clearing is compared in one cell only.
void Selection::settle(const std::vector<int>& candidate, const std::vector<Candidate>& candidates,
                       Settled& settled, std::vector<Choice>& choices) {
  std::vector<Settled::iterator> way;  // each hop leaves fewer steps: it does not come back
  std::vector<int> cell = candidate;
  for (;;) {
    const auto [place, fresh] = settled.emplace(cell, choices.size());
    if (!fresh) {
      for (const Settled::iterator& passed : way) {
        passed->second = place->second;
      }
      return;
    }
    way.push_back(place);
    const auto same = std::find_if(candidates.begin(), candidates.end(), [&](const Candidate& c) {
      return c.optimum && c.solved && c.cell == cell;
    });
    const bool at_hand = same != candidates.end();
    std::optional<CellOptimum> kept;  // where another cell is solved meanwhile
    const CellOptimum* optimum = nullptr;
    if (at_hand) {
      optimum = same->optimum.get();
    } else {  // moved to from the ends of steps, it has been solved
      optimum = !flats_.empty() && cell == flats_ ? of_flats_.get() : &solve(cell);
    }
    ChosenDemand chosen = demand_.choose(*optimum, cell, kTie);
    if (std::vector<int> flats = near_ends_.flats(chosen); !flats.empty()) {
      const bool known = flats == flats_;  // next to the ends of which another cell's demand was
      if (known || !near_ends_.rules_out(flats, chosen, *optimum)) {
        if (!known) {
          if (!at_hand) {
            optimum = &kept.emplace(*optimum);
          }
          of_flats_ = std::make_unique<CellOptimum>(solve(flats));
          flats_ = flats;
        }
        if (near_ends_.is_meant(flats, chosen.cell, *of_flats_, optimum->objective)) {
          cell = std::move(flats);
          continue;
        }
      }
    }
    if (chosen.cell != cell) {
      cell = std::move(chosen.cell);
      continue;
    }
    Choice& choice = choices.emplace_back();
    choice.cell = std::move(cell);
    choice.demand = std::move(chosen.demand);
    choice.value = optimum->objective;
    choice.risk = (choice.demand == optimum->demand).all() ? optimum->risk : kInfinity;
    choice.volume = volume(choice);
    choice.worst_case = optimum->worst_case;
    choice.marginal_state_prices = optimum->marginal_state_prices;
    choice.multipliers = optimum->multipliers;
    return;
  }
}

const CellOptimum& Selection::solve(const std::vector<int>& cell) {
  CellSolver& solver = solver_ ? *solver_ : solver_.emplace(market_, arena_, &checkpoint_);
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
  Array figures(3 * claims);
  Slice low(figures.data(), claims);
  Slice high(low.data() + claims, claims);
  Slice flat(high.data() + claims, claims);
  for (int k = 0; k < claims; ++k) {
    const int piece = choice.cell[static_cast<std::size_t>(k)];
    const Piece range = claim(k).piece(piece);
    low[k] = market_.price(k, range.price_low);
    high[k] = market_.price(k, range.price_high);
    flat[k] = Staircase::is_step(piece) ? 0.0 : market_.demand(k, range.demand_low);
  }
  PriceRule& prices = prices_ ? *prices_ : prices_.emplace(market_, arena_, &checkpoint_);
  const bool reached = prices.solve(low, high, flat);
  choice.nearest = prices.nearest();
  choice.state_prices = prices.state_prices();
  choice.divergence = prices.divergence();
  if (reached) {
    value_at_prices(choice);
  }
  return reached;
}

const Staircase& Selection::claim(int k) const {
  return stairs_[static_cast<std::size_t>(market_.original[static_cast<std::size_t>(k)])];
}

}  // namespace kpm
