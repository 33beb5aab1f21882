#include "mechanisms/maker_optimal/no_trade.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "book/units.hpp"
#include "mechanisms/levels.hpp"
#include "mechanisms/maker_optimal/as_published.hpp"
#include "mechanisms/maker_optimal/cell_bound.hpp"
#include "mechanisms/publication.hpp"
#include "numerics/entropy.hpp"
#include "numerics/tolerances.hpp"
#include "risk/risk_measure.hpp"
#include "selection/idle_choice.hpp"

namespace kpm {

namespace {

/// The choice with the support of a clearing in the caller's order.
Choice supported_alike(const ScaledMarket& scaled, const CanonicalBook& book,
                       const Clearing& clearing, Choice choice) {
  const Support& support = clearing.support;
  for (int i = 0; i < scaled.states(); ++i) {
    const auto at = static_cast<std::size_t>(book.states()[static_cast<std::size_t>(i)]);
    choice.worst_case[i] = support.worst_case[at];
    choice.marginal_state_prices[i] = support.marginal_state_prices[at];
  }
  for (int k = 0; k < scaled.claims(); ++k) {
    const auto source = static_cast<std::size_t>(scaled.original[static_cast<std::size_t>(k)]);
    const auto at = static_cast<std::size_t>(book.claims()[source]);
    choice.multipliers[k] = support.multipliers[at] * (scaled.span[k] / scaled.scale);
  }
  return choice;
}

}  // namespace

void lose_nothing(const CanonicalBook& book, const Orders& orders, const ClearSettings& settings,
                  Clearing& clearing) {
  const double loss = clearing.no_trade_equivalent - clearing.certainty_equivalent;
  if (!(loss > 0.0)) {
    return;
  }
  const Market& market = book.market();
  const std::vector<Staircase>& stairs = book.stairs();
  const Levels levels(market, stairs);
  const double stake = std::min(clearing.scale, levels.giant());
  if (loss <= kTie * stake) {
    return;
  }
  const ScaledMarket scaled(market, stairs, own_money(market));
  std::optional<Choice> choice = choose_no_trade(scaled, stairs);
  if (!choice) {
    return;
  }
  const std::vector<double> riskless;
  Clearing idle;
  const Published published = publish(market, orders, book.places(), {stairs, stairs, riskless},
                                      scaled, *choice, settings.allocation, idle);
  Arena arena;
  RiskMeasure measure(scaled, arena);
  const double value = published.moves ? value_of(scaled, idle, measure) : -kInfinity;
  const double rho = measure.evaluate(-scaled.inventory);
  const double no_trade = -rho;
  if (published.moves && !(scaled.scale * (no_trade - value) < loss)) {
    return;  // orders so large trade with each other that net demand is their rounding
  }
  choice->worst_case.resize(scaled.states());
  choice->marginal_state_prices.resize(scaled.states());
  measure.support(-scaled.inventory, rho, choice->worst_case, choice->marginal_state_prices);
  idle.support.worst_case = to_vector(choice->worst_case);
  idle.support.marginal_state_prices = to_vector(choice->marginal_state_prices);
  idle.support.multipliers.assign(static_cast<std::size_t>(market.claims), 0.0);
  const bool certain = scaled.inventory.maxCoeff() == 0.0;
  idle.support.ambiguity_price = scaled.kind == Ambiguity::kNone
                                     ? (certain ? 0.0 : kInfinity)
                                     : scaled.scale * measure.multiplier();
  idle.scale = published.scale > 0.0 ? published.scale : levels.smaller_half();
  const double wanted = settings.tolerance * std::min(idle.scale, levels.giant());
  // At a kink no trade has many supports, and not each is one of the prices found. The clearing
  // that gives way is nearly as good: its support, if it is one of no trade, may prove more.
  const Choice tied = supported_alike(scaled, book, clearing, *choice);
  const double attained =
      -(tied.marginal_state_prices * scaled.inventory).sum() -
      relative_entropy_of(tied.marginal_state_prices, tied.worst_case) / scaled.risk_aversion;
  double bound = cell_bound(support_of(scaled, *choice), scaled, stairs, *choice);
  const double others = cell_bound(support_of(scaled, tied), scaled, stairs, tied);
  if (others < bound && scaled.scale * (rho - attained) <= wanted) {
    bound = others;
    idle.support.worst_case = to_vector(tied.worst_case);
    idle.support.marginal_state_prices = to_vector(tied.marginal_state_prices);
    idle.support.multipliers = original_multipliers(market.claims, scaled, tied.multipliers);
  }
  idle.certainty_equivalent =
      published.moves ? to_money(scaled, value) : clearing.no_trade_equivalent;
  const bool supported =
      scaled.scale * (bound - no_trade) <= wanted &&
      AsPublished(market, stairs, riskless, published.paid, settings.tolerance).proves(idle);
  restore_all(book, idle);

  clearing.cell = std::move(idle.cell);
  clearing.state_prices = std::move(idle.state_prices);
  clearing.claim_prices = std::move(idle.claim_prices);
  clearing.net_demand = std::move(idle.net_demand);
  clearing.fills = std::move(idle.fills);
  clearing.payoff = std::move(idle.payoff);
  clearing.support = std::move(idle.support);
  clearing.revenue = idle.revenue;
  clearing.certainty_equivalent = idle.certainty_equivalent;
  clearing.upper_bound = std::max(clearing.upper_bound, clearing.certainty_equivalent);
  clearing.scale = idle.scale;
  if (clearing.status == Status::kOptimal) {
    const double gap = clearing.upper_bound - clearing.certainty_equivalent;
    const bool proven = gap <= wanted && supported && choice->nearest;
    clearing.status = proven ? Status::kOptimal : Status::kInaccurate;
  }
}

}  // namespace kpm
