#include "selection/idle_choice.hpp"

#include <cstddef>

#include "selection/price_rule.hpp"

namespace kpm {

namespace {

/// The piece of most prices on which net demand may be zero; -1 if none.
int idle_piece(const Staircase& claim) {
  int piece = 0;
  while (piece + 1 < claim.pieces() && claim.piece(piece).demand_low > 0.0) {
    ++piece;
  }
  const Piece range = claim.piece(piece);
  if (range.demand_low > 0.0 || range.demand_high < 0.0) {
    return -1;
  }
  return Staircase::is_step(piece) && range.demand_low == 0.0 ? piece + 1 : piece;
}

}  // namespace

std::optional<Choice> choose_no_trade(const ScaledMarket& scaled,
                                      const std::vector<Staircase>& stairs) {
  const int claims = scaled.claims();
  Choice choice;
  choice.demand = choice.multipliers = Array::Zero(claims);
  Array low(claims);
  Array high(claims);
  for (int k = 0; k < claims; ++k) {
    const auto source = static_cast<std::size_t>(scaled.original[static_cast<std::size_t>(k)]);
    const int piece = idle_piece(stairs[source]);
    if (piece < 0) {
      return std::nullopt;
    }
    choice.cell.push_back(piece);
    low[k] = scaled.price(k, stairs[source].piece(piece).price_low);
    high[k] = scaled.price(k, stairs[source].piece(piece).price_high);
  }
  Arena arena;
  PriceRule prices(scaled, arena);
  if (!prices.solve(low, high, choice.demand)) {
    return std::nullopt;
  }
  choice.nearest = prices.nearest();
  choice.state_prices = prices.state_prices();
  return choice;
}

}  // namespace kpm
