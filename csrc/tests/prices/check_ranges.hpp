// State prices of a simplex method, and the claim prices that they give.
#pragma once

#include "book/scaled_market.hpp"
#include "check.hpp"
#include "prices/price_simplex.hpp"

namespace kpm::test {

/// Check that the state prices are such, and that claim prices, multiplied out, are within their
/// ranges. Returns the state prices.
inline Array check_ranges(const ScaledMarket& market, const PriceSimplex& simplex, double within) {
  Array xi(market.states());
  for (int i = 0; i < market.states(); ++i) {
    xi[i] = simplex.state_price(i);
  }
  CHECK_AT_MOST(-xi.minCoeff(), 0.0, 1e-12);
  CHECK_NEAR(xi.sum(), 1.0, 1e-12);
  for (int k = 0; k < market.claims(); ++k) {
    const double price = market.payoffs.row(k).dot(xi.matrix());
    CHECK_AT_MOST(simplex.range_low(k), price, within);
    CHECK_AT_MOST(price, simplex.range_high(k), within);
  }
  return xi;
}

}  // namespace kpm::test
