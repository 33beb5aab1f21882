// A market that owns its arrays.
#pragma once

#include <cstddef>
#include <vector>

#include "kpm/kpm.hpp"

namespace kpm {

class MarketCopy {
 public:
  explicit MarketCopy(const Market& market)
      : payoffs_(market.payoffs,
                 market.payoffs + static_cast<std::ptrdiff_t>(market.claims) * market.states),
        prior_(market.prior, market.prior + market.states),
        inventory_(market.inventory, market.inventory + market.states),
        market_(market) {
    market_.payoffs = payoffs_.data();
    market_.prior = prior_.data();
    market_.inventory = inventory_.data();
  }
  // A vector that is moved keeps its array.
  MarketCopy(MarketCopy&&) = default;
  MarketCopy& operator=(MarketCopy&&) = default;

  const Market& market() const { return market_; }
  bool same_payoffs(const MarketCopy& other) const { return payoffs_ == other.payoffs_; }

 private:
  std::vector<double> payoffs_, prior_, inventory_;
  Market market_;
};

}  // namespace kpm
