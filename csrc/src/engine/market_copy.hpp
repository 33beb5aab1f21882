// A market and its maker, with arrays of their own.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#include "book/maker_weights.hpp"
#include "kpm/kpm.hpp"
#include "kpm/makers.hpp"

namespace kpm {

class MarketCopy {
 public:
  /// Makes room for so many states and priors, and for no fewer than the market and its maker have.
  MarketCopy(const Market& market, const MakerModel& maker, int states = 0, int priors = 0) {
    make_room(std::max(states, market.states), market.claims,
              std::max(priors, weights_of(maker).rows));
    assign(market, maker);
  }
  MarketCopy(const MarketCopy&) = delete;
  MarketCopy& operator=(const MarketCopy&) = delete;

  /// The memory of all markets of so many states and claims, and of makers of so many priors.
  static std::uint64_t bytes(int states, int claims, int priors) {
    const auto rows =
        1 + static_cast<std::uint64_t>(claims) + static_cast<std::uint64_t>(std::max(priors, 1));
    return rows * static_cast<std::uint64_t>(states) * sizeof(double);
  }

  /// Its prior is null unless the maker is Knightian.
  const Market& market() const { return market_; }
  const MakerModel& maker() const { return maker_; }
  /// The maker's prior, delta or priors.
  const std::vector<double>& weights() const { return weights_; }

  /// Whether there is room, so that assign() cannot fail.
  bool has_room_for(const Market& market) const {
    return inventory_.capacity() >= static_cast<std::size_t>(market.states) &&
           payoffs_.capacity() >= size_of_payoffs(market);
  }
  void make_room(int states, int claims, int priors) {
    const auto most = static_cast<std::size_t>(states);
    reserve(payoffs_, most * static_cast<std::size_t>(claims));
    reserve(weights_, most * static_cast<std::size_t>(std::max(priors, 1)));
    reserve(inventory_, most);
  }
  void make_room_for(const Market& market, const MakerModel& maker) {
    make_room(market.states, market.claims, weights_of(maker).rows);
  }

  /// Another market and maker, whose arrays may be those of this one, or part of them, each for
  /// what it is there.
  void assign(const Market& market, const MakerModel& maker) {
    take(payoffs_, market.payoffs, size_of_payoffs(market));
    take(inventory_, market.inventory, static_cast<std::size_t>(market.states));
    const MakerWeights weights = weights_of(maker);
    take(weights_, weights.first,
         static_cast<std::size_t>(weights.rows) * static_cast<std::size_t>(maker.states));
    market_ = market;
    maker_ = maker;
    point();
    const bool knightian = maker.kind == MakerKind::kKnightian;
    market_.risk_aversion = knightian ? maker.risk_aversion : 1.0;
    market_.ambiguity = knightian ? maker.ambiguity : 0.0;
  }

  bool same_payoffs(const Market& other) const {
    return market_.states == other.states && market_.claims == other.claims &&
           std::equal(payoffs_.begin(), payoffs_.end(), other.payoffs);
  }

 private:
  /// Has the market and the maker read the arrays where they are.
  void point() {
    market_.payoffs = payoffs_.data();
    market_.inventory = inventory_.data();
    set_weights(maker_, weights_.data());
    market_.prior = maker_.kind == MakerKind::kKnightian ? weights_.data() : nullptr;
  }
  /// May throw, with everything as before.
  void reserve(std::vector<double>& own, std::size_t size) {
    own.reserve(size);
    point();
  }
  static std::size_t size_of_payoffs(const Market& market) {
    return static_cast<std::size_t>(market.claims) * static_cast<std::size_t>(market.states);
  }
  static void take(std::vector<double>& own, const double* from, std::size_t size) {
    if (from == nullptr) {
      own.clear();
      return;
    }
    const std::less<> before;
    if (!before(from, own.data()) && before(from, own.data() + own.size())) {  // part of it
      std::memmove(own.data(), from, size * sizeof(double));
      own.resize(size);
    } else {
      own.assign(from, from + size);
    }
  }

  std::vector<double> payoffs_, weights_, inventory_;
  Market market_;
  MakerModel maker_;
};

}  // namespace kpm
