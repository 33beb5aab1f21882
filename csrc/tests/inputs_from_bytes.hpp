// Parts of commands to an engine, made of bytes: numbers, markets, and memory for clearings.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "kpm/kpm.h"

namespace kpm::test {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr int kMostStates = 5;

class Source {
 public:
  Source(const std::uint8_t* bytes, std::size_t size) : next_(bytes), left_(size) {}

  bool ended() const { return left_ == 0; }
  int below(int count) { return byte() % count; }
  std::uint64_t bits() {
    std::uint64_t all = 0;
    for (int place = 0; place < 64; place += 8) {
      all |= static_cast<std::uint64_t>(byte()) << place;
    }
    return all;
  }
  /// One of a list; one time in sixteen, any double.
  template <std::size_t N>
  double pick(const std::array<double, N>& list) {
    const int tag = byte();
    if (tag < 240) {
      return list[static_cast<std::size_t>(tag) % N];
    }
    const std::uint64_t any = bits();
    double value = 0.0;
    std::memcpy(&value, &any, sizeof value);
    return value;
  }

 private:
  int byte() {
    if (left_ == 0) {
      return 0;
    }
    --left_;
    return *next_++;
  }

  const std::uint8_t* next_;
  std::size_t left_;
};

inline constexpr std::array<double, 14> kPrices{0.1,  0.2, 0.3, 0.4,   0.5,       0.6,        0.7,
                                                0.75, 0.9, 1.0, -0.25, kInfinite, -kInfinite, -0.0};
inline constexpr std::array<double, 9> kQuantities{1.0, 2.0, 5.0, 10.0, 0.5, 0.3, 0.01, 0.0, 40.0};
inline constexpr std::array<double, 6> kPayoffs{0.0, 1.0, 0.0, 1.0, 0.5, 2.0};
inline constexpr std::array<double, 4> kInventory{0.0, 1.0, -2.0, 10.0};
inline constexpr std::array<double, 4> kAversions{0.1, 1.0, 0.01, 5.0};
inline constexpr std::array<double, 5> kAmbiguities{0.0, 0.1, 0.01, 1.0, kInfinite};

constexpr int kMostPriors = 2;

/// Payoffs, prior and inventory that are long enough for every number of states, and often a maker
/// of any kind.
struct MarketArrays {
  std::vector<double> payoffs, prior, inventory, weights;
  std::vector<kpm_maker> maker;  // one, or none: where it is it stays
  kpm_market market{};

  MarketArrays(Source& source, int claims) {
    market.struct_size = sizeof market;
    market.states = 1 + source.below(kMostStates);
    market.claims = claims;
    for (int entry = 0; entry < claims * kMostStates; ++entry) {
      payoffs.push_back(source.pick(kPayoffs));
    }
    prior.assign(kMostStates, 1.0 / market.states);
    for (int state = 0; state < kMostStates; ++state) {
      inventory.push_back(source.pick(kInventory));
    }
    market.payoffs = payoffs.data();
    market.prior = prior.data();
    market.inventory = inventory.data();
    market.risk_aversion = source.pick(kAversions);
    market.ambiguity = source.pick(kAmbiguities);
    if (source.below(4) == 0) {
      make_maker(source);
    }
  }

  bool is_knightian() const { return maker.empty() || maker[0].kind == KPM_KNIGHTIAN; }

  /// The market's maker by itself.
  kpm_maker by_itself() const {
    if (!maker.empty()) {
      return maker[0];
    }
    kpm_maker own{};
    own.struct_size = sizeof own;
    own.kind = KPM_KNIGHTIAN;
    own.states = market.states;
    own.prior = market.prior;
    own.risk_aversion = market.risk_aversion;
    own.ambiguity = market.ambiguity;
    return own;
  }

  /// One member of the maker, if there is one, that may be anything within the arrays.
  void spoil_maker(Source& source) {
    if (maker.empty()) {
      return;
    }
    kpm_maker& own = maker[0];
    switch (source.below(8)) {
      case 0:
        own.struct_size = source.bits() % sizeof own;
        break;
      case 1:
        own.kind = static_cast<std::int32_t>(source.bits());
        break;
      case 2:
        own.states = source.below(kMostStates + 1);
        break;
      case 3:
        own.prior = own.delta = own.priors = nullptr;
        break;
      case 4:
        own.prior_count = source.below(kMostPriors + 1);
        break;
      case 5:
        weights[static_cast<std::size_t>(source.below(kMostStates))] = source.pick(kAversions);
        break;
      case 6:
        own.risk_aversion = source.pick(kAversions);
        own.ambiguity = source.pick(kAmbiguities);
        break;
      default:
        own.wealth = own.curvature = source.pick(kAversions);
    }
  }

  /// One member of a market with these arrays that may be anything.
  void spoil(kpm_market& given, Source& source) {
    switch (source.below(11)) {
      case 0:
        given.struct_size = source.bits() % 5000;
        break;
      case 1:
        given.states = -source.below(3);
        break;
      case 2:
        given.claims = source.below(market.claims + 1);
        break;
      case 3:
        given.payoffs = nullptr;
        break;
      case 4:
        given.prior = nullptr;
        break;
      case 5:
        given.inventory = nullptr;
        break;
      case 6:
        spoil_maker(source);
        break;
      case 7:
        prior[static_cast<std::size_t>(source.below(kMostStates))] = source.pick(kAversions);
        break;
      default:
        break;
    }
  }

  /// A kind that is there, and weights that are those of every kind.
  void make_maker(Source& source) {
    weights.assign(kMostStates * kMostPriors, 1.0 / market.states);
    const auto states = static_cast<std::size_t>(market.states);
    if (states > 1) {
      const double moved = weights[states] / 2.0;
      weights[states] -= moved;
      weights[states + 1] += moved;
    }
    kpm_maker own = by_itself();
    own.kind = source.below(6);
    own.delta = own.priors = weights.data();
    own.prior_count = 1 + source.below(kMostPriors);
    own.risk_aversion = source.below(4) == 0 ? 0.0 : market.risk_aversion;
    if (own.kind == KPM_KNIGHTIAN) {
      own.risk_aversion = market.risk_aversion;
    }
    own.wealth = own.curvature = 1.0 + source.below(30);
    maker.push_back(own);
    market.maker = maker.data();
  }
};

/// Memory for a clearing of the market with so many orders.
struct Result {
  std::vector<double> numbers, fills;
  std::vector<std::int64_t> cell;
  kpm_result result{};

  Result(const kpm_market& market, std::size_t orders)
      : numbers(static_cast<std::size_t>(4 * market.states + 3 * market.claims), -7.0),
        fills(orders, -7.0),
        cell(static_cast<std::size_t>(market.claims), -7) {
    result.struct_size = sizeof result;
    double* at = numbers.data();
    for (double** const by_state : {&result.state_prices, &result.payoff, &result.worst_case,
                                    &result.marginal_state_prices}) {
      *by_state = at;
      at += market.states;
    }
    for (double** const by_claim :
         {&result.claim_prices, &result.net_demand, &result.multipliers}) {
      *by_claim = at;
      at += market.claims;
    }
    result.fills = fills.data();
    result.cell = cell.data();
  }

  /// But for the time and the nodes, which tell how it was found.
  bool same_bits(const Result& other, bool with_fills) const {
    const auto same = [](const auto& a, const auto& b) {
      return a.size() == b.size() &&
             (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof a[0]) == 0);
    };
    const auto figures = [](const kpm_result& of) {
      return std::vector<double>{of.certainty_equivalent,
                                 of.no_trade_equivalent,
                                 of.upper_bound,
                                 of.revenue,
                                 of.scale,
                                 of.ambiguity_price,
                                 of.objective,
                                 static_cast<double>(of.status)};
    };
    return same(numbers, other.numbers) && same(cell, other.cell) &&
           (!with_fills || same(fills, other.fills)) &&
           same(figures(result), figures(other.result));
  }
};

}  // namespace kpm::test
