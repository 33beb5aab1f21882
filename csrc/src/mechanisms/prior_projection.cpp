// The information projection of the prior on ranges of claim prices.
#include <algorithm>
#include <functional>
#include <vector>

#include "book/scaled_market.hpp"
#include "book/staircase.hpp"
#include "book/units.hpp"
#include "kpm/kpm.hpp"
#include "kpm/validation.hpp"
#include "numerics/checkpoint.hpp"
#include "selection/price_rule.hpp"

namespace kpm {

PriorProjection project_prior(const Market& market, const double* low, const double* high,
                              const std::function<bool()>& interrupted) {
  const std::vector<double> no_inventory(static_cast<std::size_t>(std::max(market.states, 0)), 0.0);
  Market flat = market;
  flat.inventory = no_inventory.data();
  flat.risk_aversion = 1.0;
  flat.ambiguity = 0.0;
  require(validate(flat));
  require(validate_prices(low, market.claims));
  require(validate_prices(high, market.claims));
  const std::vector<Staircase> stairs = compile_staircases(flat, Orders{});
  const ScaledMarket scaled(flat, stairs);

  PriorProjection result;
  for (int k = 0; k < market.claims; ++k) {
    const Staircase& claim = stairs[static_cast<std::size_t>(k)];
    // Within what the claim can cost; a constant one has a single price and no part in this.
    if (low[k] > claim.price_max || high[k] < claim.price_min || low[k] > high[k]) {
      return result;
    }
  }
  Array from(scaled.claims());
  Array to(scaled.claims());
  const Array demand = Array::Zero(scaled.claims());  // every price earns the same: nothing
  for (int k = 0; k < scaled.claims(); ++k) {
    const int source = scaled.original[static_cast<std::size_t>(k)];
    from[k] = std::max(scaled.price(k, low[source]), 0.0);
    to[k] = std::min(scaled.price(k, high[source]), 1.0);
  }
  StopToken token([&] { return !interrupted || !interrupted(); });
  Checkpoint checkpoint(token);
  Arena arena;
  PriceRule prices(scaled, arena, &checkpoint);
  try {
    result.reached = prices.solve(from, to, demand);
  } catch (const Abandoned&) {
    result.interrupted = true;
    return result;
  }
  if (result.reached) {
    result.nearest = prices.nearest();
    result.state_prices = to_vector(prices.state_prices());
    result.divergence = prices.divergence();
  }
  return result;
}

}  // namespace kpm
