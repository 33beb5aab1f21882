#include "mechanisms/maker_optimal/as_published.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "book/units.hpp"
#include "mechanisms/maker_optimal/cell_bound.hpp"
#include "numerics/arena.hpp"
#include "numerics/dense.hpp"
#include "numerics/entropy.hpp"
#include "risk/risk_measure.hpp"

namespace kpm {

namespace {

constexpr double kLastDigit = std::numeric_limits<double>::epsilon();
// Half of what readers allow, who add in another order:
constexpr double kSlack = 5.0;        // tolerances
constexpr double kSums = 0.5;         // of the rounding
constexpr double kBlurred = 64.0;     // last digits of the multipliers
constexpr double kAdditions = 128.0;  // last digits of what trades

using View = Eigen::Map<const Array>;

}  // namespace

/// The bound above the certainty equivalent, money. Prices are counted from a claim's least payoff.
double AsPublished::excess(const Clearing& clearing) const {
  const View marginal(clearing.support.marginal_state_prices.data(), market_.states);
  const View worst(clearing.support.worst_case.data(), market_.states);
  Array pull = Array::Zero(market_.states);  // of the multipliers on each state price
  double bound = 0.0;
  for (std::size_t k = 0; k < whole_.size(); ++k) {
    const Staircase& claim = whole_[k];
    const View row(market_.payoffs + static_cast<std::ptrdiff_t>(k) * market_.states,
                   market_.states);
    const double multiplier =
        clearing.support.multipliers[k] - (riskless_.empty() ? 0.0 : riskless_[k]);
    const double value = ((row - claim.price_min) * marginal).sum();
    pull -= multiplier * (row - claim.price_min);
    const auto piece = static_cast<std::size_t>(clearing.cell[k]);
    double most = -kInfinity;
    for (const std::size_t corner : {piece, piece + 1}) {
      const double price = corner_price(claim, corner) - claim.price_min;
      const double demand = claim.demand[corner / 2];
      const double worth = price * demand - value * demand + multiplier * price;
      most = std::max(most, worth + kLastDigit * std::abs(price * demand));
    }
    bound += most;
  }
  return bound + pull.maxCoeff() + (marginal * View(market_.inventory, market_.states)).sum() +
         relative_entropy_of(marginal, worst) / market_.risk_aversion -
         clearing.certainty_equivalent;
}

double AsPublished::allowed(const Clearing& clearing) const {
  const double wanted = tolerance_ * clearing.scale;
  const double wealth = View(market_.inventory, market_.states).abs().maxCoeff();
  const double digits = kAdditions - 4.0 * std::log(View(market_.prior, market_.states).minCoeff());
  double multipliers = 0.0;
  for (std::size_t k = 0; k < whole_.size(); ++k) {
    multipliers += std::abs(clearing.support.multipliers[k]) * whole_[k].span();
  }
  return kSlack * wanted + kSums * (digits * kLastDigit * (paid_ + wealth) +
                                    std::min(kBlurred * kLastDigit * multipliers, wanted));
}

Choice with_own_support(const Market& market, const TradedMarket& traded, Choice choice,
                        Clearing& clearing) {
  Arena arena;
  const Array loss = -View(clearing.payoff.data(), market.states);
  RiskMeasure measure(View(market.prior, market.states), market.risk_aversion, market.ambiguity,
                      arena);
  Array worst(market.states);
  Array marginal(market.states);
  measure.support(loss, measure.evaluate(loss), worst, marginal);
  clearing.support.worst_case = to_vector(worst);
  clearing.support.marginal_state_prices = to_vector(marginal);
  choice.worst_case = traded.merge(std::move(worst));
  choice.marginal_state_prices = traded.merge(std::move(marginal));
  return choice;
}

}  // namespace kpm
