// What the sum of the prices of disjoint claims adds to a bound.
#pragma once

#include <cmath>
#include <limits>

#include "book/scaled_market.hpp"

namespace kpm {

/// The prices of claims on disjoint sets of states add up to one where the sets cover all states,
/// and to no more where they do not. A multiplier lambda of their sum adds to a bound, beside
/// -lambda times each price, lambda times one, or nothing if no more is needed. The rounding that a
/// large lambda brings is added, too: where prices have no room lambda may diverge.
class PriceSum {
 public:
  explicit PriceSum(const ScaledMarket& market)
      : covering_(market.disjoint.covering()),
        rounding_((64 + market.claims()) * std::numeric_limits<double>::epsilon()) {}

  double value(double lambda) const {
    return (counts(lambda) ? lambda : 0.0) + rounding_ * std::abs(lambda);
  }
  double slope(double lambda) const {
    return (counts(lambda) ? 1.0 : 0.0) + std::copysign(rounding_, lambda);
  }

 private:
  bool counts(double lambda) const { return covering_ || lambda > 0.0; }

  bool covering_;
  double rounding_;
};

}  // namespace kpm
