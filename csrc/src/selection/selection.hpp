// From the cells that tie to the one published clearing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "cell/cell_solver.hpp"
#include "numerics/checkpoint.hpp"
#include "search/candidate.hpp"
#include "search/safe_start.hpp"
#include "selection/demand_rule.hpp"
#include "selection/near_ends.hpp"
#include "selection/price_rule.hpp"

namespace kpm {

/// A cell with its demand and state prices chosen, and what supports it. Scaled units.
struct Choice {
  std::vector<int> cell;
  Array demand;
  Array state_prices;
  Array worst_case, marginal_state_prices, multipliers;
  double value = -kInfinity;  ///< certainty equivalent
  double risk = kInfinity;    ///< rho of the demand, once it has been asked for
  double volume = 0.0;        ///< traded, each claim weighted by its payoff range
  double divergence = 0.0;    ///< KL(state prices | prior)
  double worth = -kInfinity;  ///< certainty equivalent at the state prices, once these are chosen
  double off = 0.0;           ///< the most that they miss a price range by, of the payoff range
  bool nearest = true;        ///< whether no other state prices of the cell are as near
  bool by_rule = true;        ///< false: a limit struck before the rule had been followed
};

/// The rule of docs/selection.md: demand within each cell, then, of those that tie for the greatest
/// certainty equivalent, the larger volume, the state prices nearer to the prior, the
/// lexicographically first cell.
class Selection {
 public:
  /// A clearing that leaves the maker no worse than no trade, made when it is needed.
  using Equilibrium = std::function<Candidate(Checkpoint&)>;

  /// `interruption`: for what is finished after `token` has stopped, too; only an interruption ends
  /// it. `unpolled`: operations to begin with that neither stops.
  Selection(const ScaledMarket& market, const std::vector<Staircase>& stairs, StopToken& token,
            StopToken& interruption, Equilibrium equilibrium, double unpolled = 0.0);

  /// Whether a choice's prices are those of its cell, and earn what the cell promised.
  static bool is_right(const Choice& choice);

  /// Of those that tie, one that the rule chooses and that state prices reach. Where numbers at the
  /// end of their digits leave none, the best of the reserve that is right; where the token stops
  /// the choice, the best clearing at hand. Never one that is worth less than no trade, unless
  /// `interruption` stops that as well.
  Choice choose(const std::vector<Candidate>& tied, const std::vector<Candidate>& reserve);

  std::int64_t iterations() const { return iterations_; }

 private:
  /// Each cell that demand was chosen from, with the number of the choice it led to.
  using Settled = std::map<std::vector<int>, std::size_t>;

  Choice choose_right(const std::vector<Candidate>& tied, const std::vector<Candidate>& reserve);
  Choice* choose_tied(const std::vector<Candidate>& candidates, std::vector<Choice>& choices);
  std::vector<std::size_t> undominated(const std::vector<std::size_t>& tied, const Settled& settled,
                                       std::vector<Choice>& choices);
  bool is_dominated(const Choice& choice, const Choice& other, const std::vector<int>& cell) const;
  void settle(const std::vector<int>& candidate, const std::vector<Candidate>& candidates,
              Settled& settled, std::vector<Choice>& choices);
  Choice* best_of(const std::vector<std::size_t>& numbers, std::vector<Choice>& choices);
  const CellOptimum& solve(const std::vector<int>& cell);
  double volume(const Choice& choice) const;
  bool add_prices(Choice& choice);
  void value_at_prices(Choice& choice);
  double risk(Choice& choice);
  Choice as_found(const Candidate& candidate);
  Choice safe_choice();
  void make_safe(SafeStart& safe, Choice& choice);
  const Staircase& claim(int k) const;

  const ScaledMarket& market_;
  const std::vector<Staircase>& stairs_;
  StopToken& interruption_;
  Equilibrium equilibrium_;
  Checkpoint checkpoint_;
  Arena arena_;
  std::optional<CellSolver> solver_;  // most books are solved by the time they come here
  Hull hull_;
  DemandRule demand_;
  NearEnds near_ends_;
  std::optional<PriceRule> prices_;
  std::vector<int> flats_;  // beside the ends of steps, solved last
  std::unique_ptr<const CellOptimum> of_flats_;
  std::int64_t iterations_ = 0;
};

}  // namespace kpm
