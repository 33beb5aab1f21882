#include "prices/checked_simplex.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/tolerances.hpp"

namespace kpm {

template <class Simplex>
double CheckedSimplex::separation(const ScaledMarket& market, const Simplex& simplex) {
  double sum = 0.0;
  double size = 0.0;
  for (int k = 0; k < market.claims(); ++k) {
    const double lambda = simplex.farkas_multiplier(k);
    sum += std::max(lambda * simplex.range_low(k), lambda * simplex.range_high(k));
    size += std::abs(lambda);
  }
  double push = -kInfinity;
  for (int i = 0; i < market.states(); ++i) {
    double pushed = 0.0;
    for (int k = 0; k < market.claims(); ++k) {
      pushed -= simplex.farkas_multiplier(k) * market.payoffs(k, i);
    }
    push = std::max(push, pushed);
  }
  return -(sum + push) / size;
}

template double CheckedSimplex::separation(const ScaledMarket&, const PriceSimplex&);

template <class Simplex>
double CheckedSimplex::violation_of(const Simplex& simplex) const {
  double worst = 0.0;
  double mass = 0.0;
  for (int i = 0; i < market_.states(); ++i) {
    worst = std::max(worst, -simplex.state_price(i));
    mass += simplex.state_price(i);
  }
  for (int k = 0; k < market_.claims(); ++k) {
    const double* const row = &market_.payoffs(k, 0);
    double price = 0.0;
    for (int i = 0; i < market_.states(); ++i) {
      price += row[i] * simplex.state_price(i);
    }
    worst = std::max({worst, simplex.range_low(k) - price, price - simplex.range_high(k)});
  }
  const double excess = std::abs(mass - 1.0);
  return worst > excess ? worst : excess;  // which is no number where a state price is none
}

bool CheckedSimplex::feasible() {
  asked_ = nullptr;
  if (plain_.feasible()) {
    violation_ = violation_of(plain_);
    return violation_ <= kPriceTolerance || feasible_precisely();
  }
  const bool separated = separation(market_, plain_) > separation_beyond_rounding(market_.claims());
  return !separated && feasible_precisely();
}

bool CheckedSimplex::feasible_precisely() {
  if (rough_) {
    return false;
  }
  PrecisePriceSimplex& precise =
      precise_ ? *precise_ : precise_.emplace(market_, arena_, checkpoint_);
  asked_ = &precise;
  precise.reset();
  for (int k = 0; k < market_.claims(); ++k) {
    precise.set_range(k, range_low(k), range_high(k));
  }
  const bool reached = precise.feasible();
  violation_ = violation_of(precise);
  return reached;
}

void CheckedSimplex::maximise(const ArrayView& claim_weights) {
  if (asked_ == nullptr) {
    plain_.maximise(claim_weights, no_weight_);
    violation_ = violation_of(plain_);
    if (rough_ || violation_ <= kPriceTolerance) {
      return;
    }
    feasible_precisely();
  }
  asked_->maximise(claim_weights, no_weight_);
  violation_ = violation_of(*asked_);
}

}  // namespace kpm
