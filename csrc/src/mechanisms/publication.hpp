// The one published clearing, in the caller's units.
#pragma once

#include <vector>

#include "book/canonical_order.hpp"
#include "book/scaled_market.hpp"
#include "book/staircase.hpp"
#include "kpm/kpm.hpp"
#include "selection/selection.hpp"

namespace kpm {

/// The whole book, and the same as the maker sees it: giants may have been netted, and demand may
/// be counted from a riskless trade.
struct PublishedBook {
  const std::vector<Staircase>& whole;
  const std::vector<Staircase>& seen;
  const std::vector<double>& riskless;  ///< (claims) or empty

  double base(std::size_t claim) const { return riskless.empty() ? 0.0 : riskless[claim]; }
};

struct Published {
  double scale = 0.0;  ///< the notional that trades, money
  double paid = 0.0;   ///< what all that trades could have to pay, money
  bool moves = false;  ///< whether trading changes the maker's payoff, by more than rounding
};

/// Prices, fills and the maker's position of the chosen cell; net demand as it is counted.
/// `places[k]` is where the market and the staircases have the orders' claim k.
Published publish(const Market& market, const Orders& orders, const std::vector<int>& places,
                  const PublishedBook& book, const ScaledMarket& scaled, const Choice& choice,
                  Allocation allocation, Clearing& clearing);

/// Net demand from nothing on, with what it earns and costs, once nothing more depends on it.
void count_from_nothing(const Market& market, const std::vector<double>& riskless,
                        Clearing& clearing);

/// By how much a claim's price under state prices lies above its least payoff. Payoffs far from
/// zero would cost the price itself its last digits: prices of many states add up to one but for
/// some.
double above_least(const Market& market, std::size_t claim, double least,
                   const std::vector<double>& state_prices);

/// What rounding prices to the caller's units may take from the maker's revenue, money.
double rounding_of_payments(const Clearing& clearing);

/// Certainty equivalent of the published position, from the fills themselves. Scaled.
double value_of(const ScaledMarket& scaled, const Clearing& clearing, RiskMeasure& measure);

/// From the canonical order of claims and states back to the caller's.
void restore_all(const CanonicalBook& book, Clearing& clearing);

}  // namespace kpm
