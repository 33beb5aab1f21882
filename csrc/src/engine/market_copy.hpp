// A market and its maker that own their arrays.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "kpm/kpm.hpp"
#include "kpm/makers.hpp"
#include "mechanisms/own_maker.hpp"

namespace kpm {

class MarketCopy {
 public:
  /// Makes room for so many states and priors, and for no fewer than the market and its maker have.
  MarketCopy(const Market& market, const MakerModel& maker, int states = 0, int priors = 0) {
    make_room(std::max(states, market.states), market.claims, std::max(priors, rows_of(maker)));
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
    make_room(market.states, market.claims, rows_of(maker));
  }

  /// Another market and maker, whose arrays may be those of this one, or part of them, each for
  /// what it is there.
  void assign(const Market& market, const MakerModel& maker) {
    take(payoffs_, market.payoffs, size_of_payoffs(market));
    take(inventory_, market.inventory, static_cast<std::size_t>(market.states));
    take(weights_, weights_of(maker), size_of_weights(maker));
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
    maker_.prior = maker_.delta = maker_.vertices = weights_.data();
    market_.prior = maker_.kind == MakerKind::kKnightian ? weights_.data() : nullptr;
  }
  /// May throw, with everything as before.
  void reserve(std::vector<double>& own, std::size_t size) {
    own.reserve(size);
    point();
  }
  static int rows_of(const MakerModel& maker) {
    return maker.kind == MakerKind::kPolytope ? maker.priors : 1;
  }
  static const double* weights_of(const MakerModel& maker) {
    switch (maker.kind) {
      case MakerKind::kStartingOrders:
        return maker.delta;
      case MakerKind::kPolytope:
        return maker.vertices;
      default:
        return maker.prior;
    }
  }
  static std::size_t size_of_weights(const MakerModel& maker) {
    return maker.kind == MakerKind::kWorstState
               ? 0
               : static_cast<std::size_t>(maker.states) * static_cast<std::size_t>(rows_of(maker));
  }
  static std::size_t size_of_payoffs(const Market& market) {
    return static_cast<std::size_t>(market.claims) * static_cast<std::size_t>(market.states);
  }
  static void take(std::vector<double>& own, const double* from, std::size_t size) {
    const std::less_equal<> upto;
    if (upto(own.data(), from) && upto(from, own.data() + own.size())) {
      std::copy(from, from + size, own.begin());
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
