#include "mechanisms/publication.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "book/units.hpp"
#include "mechanisms/netting.hpp"
#include "selection/allocation.hpp"

namespace kpm {

namespace {

/// A constant claim has one price and no risk: all orders that can be matched at it are.
int piece_of_constant(const Staircase& claim) {
  if (claim.limit.empty()) {
    return 0;
  }
  return claim.sell[0] == 0.0 ? 0 : claim.buy[0] == 0.0 ? 2 : 1;
}

}  // namespace

Published publish(const Market& market, const Orders& orders, const std::vector<int>& places,
                  const PublishedBook& book, const ScaledMarket& scaled, const Choice& choice,
                  Allocation allocation, Clearing& clearing) {
  const std::vector<Staircase>& stairs = book.whole;
  const bool netted = &book.seen != &book.whole;
  const auto claims = static_cast<std::size_t>(market.claims);
  clearing.cell.resize(claims);
  for (std::size_t k = 0; k < claims; ++k) {
    clearing.cell[k] = stairs[k].span() > 0.0 ? 0 : piece_of_constant(stairs[k]);
  }
  std::vector<double> net(claims, 0.0);  // demand at the limit of a step
  for (std::size_t k = 0; k < claims; ++k) {
    if (Staircase::is_step(static_cast<int>(clearing.cell[k]))) {
      net[k] = stairs[k].buy[0] - stairs[k].sell[0];
    }
  }
  for (int k = 0; k < scaled.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const auto source = static_cast<std::size_t>(scaled.original[at]);
    const int piece = choice.cell[at];
    clearing.cell[source] = piece;
    if (Staircase::is_step(piece)) {
      const Staircase& claim = stairs[source];
      const auto l = static_cast<std::size_t>(piece / 2);
      const double filled =
          netted ? net_beside(claim, l, book.base(source)) : claim.bought[l + 1] - claim.sold[l];
      net[source] = choice.demand[k] * (scaled.scale / scaled.span[k]) - filled;
    }
  }
  clearing.fills = allocate(orders, places, stairs, clearing.cell, net, allocation);
  clearing.state_prices = to_vector(choice.state_prices);

  // From the staircase, not the fills: a sum over orders would depend on their sequence.
  clearing.net_demand.resize(claims);
  Published published;
  for (std::size_t k = 0; k < claims; ++k) {
    const auto l = static_cast<std::size_t>(clearing.cell[k] / 2);
    double traded = stairs[k].bought[l] + stairs[k].sold[l];
    clearing.net_demand[k] = stairs[k].demand[l];
    if (Staircase::is_step(static_cast<int>(clearing.cell[k]))) {
      const Matched matched = match_at_limit(stairs[k].buy[l], stairs[k].sell[l], net[k]);
      clearing.net_demand[k] =
          (stairs[k].bought[l + 1] + matched.bought) - (stairs[k].sold[l] + matched.sold);
      traded = (stairs[k].bought[l + 1] + matched.bought) + (stairs[k].sold[l] + matched.sold);
    }
    published.scale += stairs[k].span() * traded;
    published.paid +=
        std::max(std::abs(stairs[k].price_min), std::abs(stairs[k].price_max)) * traded;
  }
  if (netted) {
    // Trade of giants with each other adds its rounding to their difference, but must not add it to
    // what the maker trades.
    for (int k = 0; k < scaled.claims(); ++k) {
      const auto source = static_cast<std::size_t>(scaled.original[static_cast<std::size_t>(k)]);
      const Piece piece = book.seen[source].piece(static_cast<int>(clearing.cell[source]));
      clearing.net_demand[source] = std::clamp(choice.demand[k] * (scaled.scale / scaled.span[k]),
                                               piece.demand_low, piece.demand_high);
    }
  }
  clearing.claim_prices.resize(claims);
  clearing.payoff.assign(market.inventory, market.inventory + market.states);
  clearing.revenue = 0.0;
  for (std::size_t k = 0; k < claims; ++k) {
    const int piece = static_cast<int>(clearing.cell[k]);
    const Piece range = stairs[k].piece(piece);
    double price = range.price_low;
    if (!Staircase::is_step(piece)) {
      const double least = stairs[k].price_min;
      const double above = above_least(market, k, least, clearing.state_prices);
      price = std::clamp(least + above, range.price_low, range.price_high);
    }
    clearing.claim_prices[k] = price;
    clearing.revenue += price * clearing.net_demand[k];
  }
  // A sum of products is accurate to this share of the sum of their absolute values.
  const double rounding = std::numeric_limits<double>::epsilon() * (market.claims + 2);
  for (int i = 0; i < market.states; ++i) {
    double gain = 0.0;
    double size = 0.0;
    for (std::size_t k = 0; k < claims; ++k) {
      const double* row = market.payoffs + static_cast<std::ptrdiff_t>(k) * market.states;
      const double paid = (clearing.claim_prices[k] - row[i]) * clearing.net_demand[k];
      gain += paid;
      size += std::abs(paid);
    }
    if (std::abs(gain) > rounding * size) {
      published.moves = true;
      clearing.payoff[static_cast<std::size_t>(i)] += gain;
    }
  }
  return published;
}

void count_from_nothing(const Market& market, const std::vector<double>& riskless,
                        Clearing& clearing) {
  if (riskless.empty()) {
    return;
  }
  for (std::size_t k = 0; k < riskless.size(); ++k) {
    clearing.net_demand[k] += riskless[k];
    clearing.revenue += clearing.claim_prices[k] * riskless[k];
    clearing.support.multipliers[k] -= riskless[k];
  }
  const std::vector<double>& net = clearing.net_demand;
  if (std::all_of(net.begin(), net.end(), [](double demand) { return demand == 0.0; })) {
    clearing.revenue = 0.0;  // there and back: what rounding has left is nobody's
    clearing.payoff.assign(market.inventory, market.inventory + market.states);
  }
}

double above_least(const Market& market, std::size_t claim, double least,
                   const std::vector<double>& state_prices) {
  const double* const row = market.payoffs + static_cast<std::ptrdiff_t>(claim) * market.states;
  double above = 0.0;
  for (int i = 0; i < market.states; ++i) {
    above += (row[i] - least) * state_prices[static_cast<std::size_t>(i)];
  }
  return above;
}

double rounding_of_payments(const Clearing& clearing) {
  double paid = 0.0;
  for (std::size_t k = 0; k < clearing.net_demand.size(); ++k) {
    paid += std::abs(clearing.claim_prices[k] * clearing.net_demand[k]);
  }
  return std::numeric_limits<double>::epsilon() * paid;
}

double value_of(const ScaledMarket& scaled, const Clearing& clearing, RiskMeasure& measure) {
  Array loss = -scaled.inventory;
  double revenue = 0.0;
  for (int k = 0; k < scaled.claims(); ++k) {
    const auto source = static_cast<std::size_t>(scaled.original[static_cast<std::size_t>(k)]);
    const double demand = scaled.demand(k, clearing.net_demand[source]);
    revenue += demand * scaled.price(k, clearing.claim_prices[source]);
    loss += demand * scaled.payoffs.row(k).transpose().array();
  }
  return revenue - measure.evaluate(loss);
}

void restore_all(const CanonicalBook& book, Clearing& clearing) {
  Certificate& certificate = clearing.certificate;
  Support& support = clearing.support;
  for (std::int64_t& claim : certificate.merged_into) {
    claim = book.claims()[static_cast<std::size_t>(claim)];
  }
  std::vector<std::int64_t> pieces;
  for (auto* const by_claim : {&clearing.pieces, &clearing.cell, &certificate.merged_into,
                               &certificate.first, &certificate.last}) {
    restore_order(book.claims(), *by_claim, pieces);
  }
  std::vector<double> figures;
  for (auto* const by_claim : {&clearing.claim_prices, &clearing.net_demand, &support.multipliers,
                               &certificate.multipliers}) {
    restore_order(book.claims(), *by_claim, figures);
  }
  for (auto* const by_state : {&clearing.state_prices, &clearing.payoff, &support.worst_case,
                               &support.marginal_state_prices, &certificate.worst_case,
                               &certificate.marginal_state_prices}) {
    restore_order(book.states(), *by_state, figures);
  }
}

}  // namespace kpm
