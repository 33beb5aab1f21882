#include "risk/separable_risk.hpp"

#include <cmath>

namespace kpm {

namespace {

constexpr int kSteps = 12;       // of Newton's method
constexpr double kClose = 1e-6;  // logarithm of what a slope may be off by

}  // namespace

SeparableRisk::SeparableRisk(const ScaledMarket& market)
    : market_(market), claims_(market.claims()), weight_(std::exp(market.ambiguity)) {
  std::vector<std::vector<int>> sets(static_cast<std::size_t>(claims_) + 1);
  for (int i = 0; i < market.states(); ++i) {
    const int claim = market.disjoint.claim_of(i);
    sets[static_cast<std::size_t>(claim == DisjointClaims::kNone ? claims_ : claim)].push_back(i);
  }
  begin_.push_back(0);
  for (const std::vector<int>& set : sets) {
    states_.insert(states_.end(), set.begin(), set.end());
    begin_.push_back(states_.size());
  }
}

SeparableRisk::Part SeparableRisk::of(int claim, double demand) const {
  const double a = market_.risk_aversion;
  const auto [r, nu] = point_;
  Part part;
  for (const int i : states_of(claim)) {
    const double loss = a * (demand - market_.inventory[i] - r);
    const double growth = std::expm1(loss);
    const double grown = growth < -0.5 ? std::exp(loss) : 1.0 + growth;
    const double tilt = growth / (a * nu);
    const double p = market_.prior[i] * weight_ * std::exp(tilt);
    const double g = p * grown;
    part.value += p * nu;
    part.by_point[0] -= g;
    part.by_point[1] += p * (1.0 - tilt);
    part.by_demand += g;
    part.bend += g * (grown / nu + a);
  }
  return part;
}

/// Of one state the logarithm of the slope, W / nu + a (L - r) and a constant, is convex in demand:
/// from above Newton's method goes straight to the root. W is at least L - r, and nu times what the
/// logarithm has to rise by at most where that is positive.
double SeparableRisk::demand_at(int claim, double slope) const {
  const double a = market_.risk_aversion;
  const auto [r, nu] = point_;
  const Span<const int> states = states_of(claim);
  double demand = kInfinity;
  double rise = 0.0;
  for (const int i : states) {
    rise = std::log(slope / (market_.prior[i] * weight_));
    double alone = nu * rise / (1.0 + a * nu);
    if (rise > 0.0) {
      alone = std::min(alone, std::log1p(a * nu * rise) / a);
    }
    demand = std::min(demand, r + alone + market_.inventory[i]);
  }
  for (int step = 0; step < kSteps && states.size() == 1; ++step) {
    const double loss = demand - market_.inventory[*states.begin()] - r;
    const double growth = std::expm1(a * loss);
    const double off = growth / (a * nu) + a * loss - rise;
    demand -= off / ((1.0 + growth) / nu + a);
    if (!(std::abs(off) > kClose)) {
      return demand;
    }
  }
  for (int step = 0; step < kSteps; ++step) {
    const Part part = of(claim, demand);
    const double off = std::log(part.by_demand / slope);
    demand -= off * part.by_demand / part.bend;
    if (!(std::abs(off) > kClose)) {
      break;
    }
  }
  return demand;
}

/// The risk lies between the mean loss under the prior and the largest. Under the worst case p the
/// mean of W is zero, and ln E_q e^(W / nu) = -Omega >= E_q W / nu.
RiskRectangle SeparableRisk::domain(const std::vector<Corners>& corners, const Box& box) const {
  RiskRectangle domain;
  double most = -kInfinity;
  const auto visit = [&](auto&& state) {
    for (int k = 0; k <= claims_; ++k) {
      const auto at = static_cast<std::size_t>(k);
      const bool pays = k < claims_;
      const double low = pays ? corners[at].demand[static_cast<std::size_t>(box.last[at]) + 1] : 0;
      const double high = pays ? corners[at].demand[static_cast<std::size_t>(box.first[at])] : 0;
      for (const int i : states_of(k)) {
        state(market_.prior[i], low - market_.inventory[i], high - market_.inventory[i]);
      }
    }
  };
  visit([&](double prior, double low, double high) {
    domain.low[0] += prior * low;
    most = std::max(most, high);
  });
  domain.high[0] = most;
  const double a = market_.risk_aversion;
  visit([&](double prior, double low, double /*high*/) {
    domain.high[1] -= prior * std::expm1(a * (low - most)) / (a * market_.ambiguity);
  });
  return domain;
}

}  // namespace kpm
