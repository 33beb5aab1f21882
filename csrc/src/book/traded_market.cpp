#include "book/traded_market.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

#include "numerics/golden.hpp"

namespace kpm {

namespace {

constexpr int kFew = 16;  // states: comparing all pairs takes no time

bool alike(const ScaledMarket& market, int i, int j) {
  if (market.inventory[i] != market.inventory[j]) {
    return false;
  }
  for (int k = 0; k < market.claims(); ++k) {
    if (market.payoffs(k, i) != market.payoffs(k, j)) {
      return false;
    }
  }
  return true;
}

bool all_differ(const ScaledMarket& market) {
  for (int j = 1; j < market.states(); ++j) {
    for (int i = 0; i < j; ++i) {
      if (alike(market, i, j)) {
        return false;
      }
    }
  }
  return true;
}

/// For each state the first one equal to it; empty where all differ. Comparing all pairs would take
/// longer than many clearings: equal states have equal weighted sums of payoffs, and few others do.
std::vector<int> find_alike(const ScaledMarket& market) {
  const int states = market.states();
  if (states <= kFew && all_differ(market)) {
    return {};
  }
  Array sum = market.inventory;
  for (int k = 0; k < market.claims(); ++k) {
    sum += golden_weight(k + 1) * market.payoffs.row(k).transpose().array();
  }
  std::vector<std::pair<double, int>> sums;
  sums.reserve(static_cast<std::size_t>(states));
  for (int i = 0; i < states; ++i) {
    sums.emplace_back(sum[i], i);
  }
  std::sort(sums.begin(), sums.end());
  std::vector<int> first(sums.size());
  std::iota(first.begin(), first.end(), 0);
  bool found = false;
  std::size_t run = 0;  // where sums like this one begin
  for (std::size_t at = 1; at < sums.size(); ++at) {
    if (sums[at].first != sums[run].first) {
      run = at;
      continue;
    }
    const int state = sums[at].second;
    for (std::size_t before = run; before < at; ++before) {
      const int other = sums[before].second;
      if (first[static_cast<std::size_t>(other)] == other && alike(market, other, state)) {
        first[static_cast<std::size_t>(state)] = other;
        found = true;
        break;
      }
    }
  }
  return found ? first : std::vector<int>();
}

}  // namespace

TradedMarket::TradedMarket(ScaledMarket full, const std::vector<Staircase>& stairs)
    : full_(std::move(full)) {
  const auto trades = [&](int original) {
    return stairs[static_cast<std::size_t>(original)].has_net_demand();
  };
  if (!std::all_of(full_.original.begin(), full_.original.end(), trades)) {
    std::vector<int> claims;
    for (int k = 0; k < full_.claims(); ++k) {
      if (trades(full_.original[static_cast<std::size_t>(k)])) {
        claims.push_back(k);
      }
    }
    traded_ = full_.of_claims(claims);
  }
  const std::vector<int> first = find_alike(market());
  if (!first.empty()) {
    merge_states(first);
  }
}

void TradedMarket::merge_states(const std::vector<int>& first) {
  const ScaledMarket apart = market();
  traded_.emplace(apart);
  std::vector<int> kept;
  kept.reserve(first.size());
  into_.resize(first.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    const auto leader = static_cast<std::size_t>(first[i]);
    if (leader == i) {
      kept.push_back(static_cast<int>(i));
    }
    into_[i] = leader == i ? static_cast<int>(kept.size()) - 1 : into_[leader];
  }
  const auto states = static_cast<Eigen::Index>(kept.size());
  traded_->prior = Array(states);  // merge() asks for their number
  traded_->prior = merge(apart.prior);
  traded_->inventory = Array(states);
  traded_->payoffs = Matrix(apart.claims(), states);
  for (Eigen::Index i = 0; i < states; ++i) {
    const int state = kept[static_cast<std::size_t>(i)];
    traded_->inventory[i] = apart.inventory[state];
    traded_->payoffs.col(i) = apart.payoffs.col(state);
  }
  traded_->find_structure();
  traded_->kind = kind_of(traded_->prior, traded_->ambiguity);
}

Array TradedMarket::restore(Array by_state) const {
  if (into_.empty()) {
    return by_state;
  }
  Array result(full_.states());
  for (Eigen::Index i = 0; i < result.size(); ++i) {
    const int into = into_[static_cast<std::size_t>(i)];
    result[i] = by_state[into] * (full_.prior[i] / market().prior[into]);
  }
  return result;
}

Array TradedMarket::merge(Array by_state) const {
  if (into_.empty() || by_state.size() == 0) {
    return by_state;
  }
  Array result = Array::Zero(market().prior.size());
  for (Eigen::Index i = 0; i < by_state.size(); ++i) {
    result[into_[static_cast<std::size_t>(i)]] += by_state[i];
  }
  return result;
}

}  // namespace kpm
