#include "cell/step_search.hpp"

#include <algorithm>
#include <utility>

#include "numerics/entropy.hpp"

namespace kpm {

namespace {

// Enough to halve the range of a giant's step to the last digit of a small demand.
constexpr int kHalvings = 200;

}  // namespace

StepSearch::StepSearch(const ScaledMarket& market, Arena& arena)
    : market_(market),
      loss_(arena.array(market.states())),
      p_(arena.array(market.states())),
      g_(arena.array(market.states())) {
  for (Side* const side : {&below_, &above_, &middle_}) {
    side->p = arena.span<double>(market.states());
    side->g = arena.span<double>(market.states());
  }
}

void StepSearch::look(double demand, Side& side) {
  for (Eigen::Index i = 0; i < loss_.size(); ++i) {
    loss_[i] = (*base_)[i] + payoffs_[i] * demand;
  }
  const double rho = measure_->evaluate(loss_);
  measure_->support(loss_, rho, p_, g_);
  if (market_.kind == Ambiguity::kSimplex) {
    g_ = p_;
  }
  std::copy_n(p_.data(), p_.size(), side.p.begin());
  std::copy_n(g_.data(), g_.size(), side.g.begin());
  side.demand = demand;
  side.slope = price_ - dot(payoffs_, g_.data(), loss_.size());
  side.worth = price_ * demand - rho;
  side.ambiguity_price = measure_->multiplier();
}

void StepSearch::run(const double* payoffs, double price, Range range, const Slice& base,
                     RiskMeasure& measure) {
  payoffs_ = payoffs;
  price_ = price;
  base_ = &base;
  measure_ = &measure;
  look(range.low, below_);
  look(range.high, above_);
  double share = below_.slope <= 0.0 ? 0.0 : 1.0;  // of what lies above
  if (below_.slope > 0.0 && above_.slope < 0.0) {
    for (int halving = 0; halving < kHalvings; ++halving) {
      const double half = below_.demand + 0.5 * (above_.demand - below_.demand);
      if (!(half > below_.demand && half < above_.demand)) {
        break;
      }
      look(half, middle_);
      std::swap(middle_.slope > 0.0 ? below_ : above_, middle_);
    }
    share = below_.slope / (below_.slope - above_.slope);
  }
  const bool by_above = share == 1.0 || (share > 0.0 && above_.worth > below_.worth);
  demand_ = (by_above ? above_ : below_).demand;
  worth_ = (by_above ? above_ : below_).worth;
  ambiguity_price_ = (1.0 - share) * below_.ambiguity_price + share * above_.ambiguity_price;
  for (Eigen::Index i = 0; i < loss_.size(); ++i) {
    p_[i] = (1.0 - share) * below_.p[i] + share * above_.p[i];
    g_[i] = (1.0 - share) * below_.g[i] + share * above_.g[i];
  }
  divergence_ = market_.kind == Ambiguity::kSimplex
                    ? 0.0
                    : relative_entropy_of(g_, p_) / market_.risk_aversion;
}

}  // namespace kpm
