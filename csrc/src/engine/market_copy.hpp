// A market that owns its arrays.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "kpm/kpm.hpp"

namespace kpm {

class MarketCopy {
 public:
  /// Makes room for so many states, and for no fewer than the market has.
  explicit MarketCopy(const Market& market, int states = 0) {
    make_room(std::max(states, market.states), market.claims);
    assign(market);
  }
  MarketCopy(const MarketCopy&) = delete;
  MarketCopy& operator=(const MarketCopy&) = delete;

  const Market& market() const { return market_; }

  /// Whether there is room, so that assign() cannot fail.
  bool has_room_for(const Market& market) const {
    return prior_.capacity() >= static_cast<std::size_t>(market.states) &&
           payoffs_.capacity() >= size_of_payoffs(market);
  }

  void make_room(int states, int claims) {
    const auto most = static_cast<std::size_t>(states);
    payoffs_.reserve(most * static_cast<std::size_t>(claims));
    prior_.reserve(most);
    inventory_.reserve(most);
  }

  /// Another market, whose arrays may be those of this one.
  void assign(const Market& market) {
    take(payoffs_, market.payoffs, size_of_payoffs(market));
    take(prior_, market.prior, static_cast<std::size_t>(market.states));
    take(inventory_, market.inventory, static_cast<std::size_t>(market.states));
    market_ = market;
    market_.payoffs = payoffs_.data();
    market_.prior = prior_.data();
    market_.inventory = inventory_.data();
  }

  bool same_payoffs(const Market& other) const {
    return market_.states == other.states && market_.claims == other.claims &&
           std::equal(payoffs_.begin(), payoffs_.end(), other.payoffs);
  }

 private:
  static std::size_t size_of_payoffs(const Market& market) {
    return static_cast<std::size_t>(market.claims) * static_cast<std::size_t>(market.states);
  }
  static void take(std::vector<double>& own, const double* from, std::size_t size) {
    if (from != own.data()) {
      own.assign(from, from + size);
    }
  }

  std::vector<double> payoffs_, prior_, inventory_;
  Market market_;
};

}  // namespace kpm
