#include "risk/tilt_change.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/arena.hpp"
#include "numerics/pair.hpp"
#include "numerics/state_sums.hpp"
#include "risk/two_valued.hpp"

namespace kpm {

namespace {

constexpr double kLastStep = 1e-7;  // relative: Newton's next step is rounding
constexpr int kIterations = 30;

}  // namespace

TiltChange::TiltChange(Eigen::Index states)
    : states_(states),
      padded_(StateSums::padded(states)),
      p_(Array::Zero(padded_)),
      phi_(Array::Zero(padded_)),
      u_(Array::Zero(padded_)),
      g_(Array::Zero(padded_)),
      growth_(Array::Zero(padded_)),
      psi_(Array::Zero(padded_)),
      moved_(Array::Zero(padded_)),
      prices_(Array::Zero(states)) {}

void TiltChange::set_base(const ArrayView& deviation, const ArrayView& p, double risk_aversion,
                          double inverse_mu) {
  a_ = risk_aversion;
  t_ = inverse_mu;
  double mass = 0.0;
  double mean = 0.0;
  mean_utility_ = 0.0;
  for (Eigen::Index i = 0; i < states_; ++i) {
    u_[i] = std::exp(a_ * deviation[i]);
    phi_[i] = std::expm1(a_ * deviation[i]) / a_;
    mass += p[i];
    mean += p[i] * phi_[i];
    mean_utility_ += p[i] * u_[i];
  }
  mean /= mass;
  mean_utility_ /= mass;
  variance_ = 0.0;
  third_ = 0.0;
  phi_range_ = 0.0;
  for (Eigen::Index i = 0; i < states_; ++i) {
    p_[i] = p[i] / mass;
    g_[i] = p_[i] * u_[i] / mean_utility_;
    phi_[i] -= mean;
    variance_ += p_[i] * phi_[i] * phi_[i];
    third_ += p_[i] * phi_[i] * phi_[i] * phi_[i];
    phi_range_ = std::max(phi_range_, std::abs(phi_[i]));
  }
  prices_ = g_.head(states_) / g_.head(states_).sum();
}

/// e^{a d} - 1 for a claim of two payoffs, whose states share two exponentials; false if there are
/// others.
bool TiltChange::fill_growth_of_two(const ArrayView& change, double low, double high) {
  const double* const first = change.data();
  if (shows_third_payoff(first, states_, low, high)) {
    return false;
  }
  const double slope = (growth_of_high_ - growth_of_low_) / (high - low);
  Pair between(0.0, 0.0);
  for (Eigen::Index k = 0; 2 * k < states_; ++k) {
    const Pair moved = pair_of(first, states_, k);
    between = between.max((moved - low) * (high - moved));
    two_of(growth_, 2 * k) = growth_of_low_ + slope * (moved - low);
  }
  return between.maxCoeff() == 0.0;
}

void TiltChange::set_change(const ArrayView& change, double low, double high) {
  growth_of_low_ = std::expm1(a_ * low);
  growth_of_high_ = std::expm1(a_ * high);
  if (!fill_growth_of_two(change, low, high)) {
    const double largest = a_ * std::max(std::abs(low), std::abs(high));
    state_sums().expm1(largest <= kExpm1Series, a_, 0.0, change.data(), states_, growth_.data());
  }
  fill_psi();
}

void TiltChange::reverse() {
  growth_ /= -1.0 - growth_;
  const double of_low = growth_of_low_;
  growth_of_low_ = growth_of_high_ / (-1.0 - growth_of_high_);
  growth_of_high_ = of_low / (-1.0 - of_low);
  fill_psi();
}

/// Sets psi and its moments with phi under p.
void TiltChange::fill_psi() {
  if (t_ == 0.0) {  // p does not move
    return;
  }
  const PsiSums of = state_sums().psi(1.0 / a_, u_.data(), growth_.data(), p_.data(), phi_.data(),
                                      padded_, psi_.data());
  moments_ = {of.mean, of.covariance, of.square, of.phi_skew, of.psi_skew};
}

/// The sums for the tilt t + tau; returns G. E e^m m and the gain follow from the same sums, as m
/// is made of phi and psi and E g expm1(a d) = a p psi.
double TiltChange::sums(bool small, double tau) {
  const double t = t_ + tau;
  const TiltSums of =
      state_sums().tilt(small, tau, t, p_.data(), phi_.data(), psi_.data(), padded_, moved_.data());
  z_ = of.excess;
  const double inverse = 1.0 / (1.0 + z_);
  const double of_psi = of.psi * inverse;
  const double of_phi = of.first_moment * inverse;
  const double mean = of_phi + of_psi;
  const double square = of.squares * inverse;
  moved_variance_ = square - mean * mean;
  moved_third_ = of.cubes * inverse - mean * (3.0 * square - 2.0 * mean * mean);
  gain_ = a_ / mean_utility_ * of_psi;
  divergence_ = tau * of_phi + t * of_psi - std::log1p(z_);
  return divergence_ + t_ * of_phi;
}

bool TiltChange::evaluate(double* value, Array* prices) {
  if (!is_accurate()) {
    return false;
  }
  double growth = 0.0;
  if (t_ == 0.0) {  // p does not move
    growth = dot(g_.data(), growth_.data(), states_);
    moved_.setZero();
  } else {
    if (!(variance_ > 0.0)) {
      return false;
    }
    // Utilities are at most one: no psi is larger than this, and none of the expm1(a d).
    const double span = std::max(std::abs(growth_of_low_), std::abs(growth_of_high_));
    const double reach = span / a_;
    const double scale = a_ / mean_utility_;
    double tau = moments_.second_order_root(t_, variance_, third_);
    bool found = false;
    bool last = false;
    for (int iteration = 0; iteration < kIterations && !found; ++iteration) {
      if (!(t_ + tau > 0.0)) {
        tau = -0.5 * t_;
      }
      const double t = t_ + tau;
      const bool small = std::abs(tau) * phi_range_ + t * reach <= kExpm1Series;
      const double g = sums(small, tau);
      if (!std::isfinite(g) || !(moved_variance_ > 0.0) || !(z_ > kLeastMass - 1.0)) {
        return false;
      }
      const double step = g / (t * moved_variance_);
      // The Lagrangian's value, and what it is above its least, to third order.
      const double skew = step * (1.0 / t + moved_third_ / (3.0 * moved_variance_));
      const double above = 0.5 * scale * g * step / (t * t);
      growth = gain_ + scale * ((g - divergence_) / t_ - g / t) - above * (1.0 + skew);
      // The value is right to third order in what is left of the step, the prices to first.
      const double moved = std::abs(step) * (1.0 / t + phi_range_);
      found = above * moved * moved <= kAccurate * span && (prices == nullptr || last);
      last = std::abs(step) <= kLastStep * t;
      if (!found) {
        tau -= std::clamp(step, -0.5 * t, 2.0 * t);
      }
    }
    if (!found) {
      return false;
    }
  }
  if (!(growth > -1.0)) {
    return false;
  }
  *value = std::log1p(growth) / a_;
  if (prices != nullptr) {
    *prices = g_.head(states_) * (1.0 + moved_.head(states_)) * (1.0 + growth_.head(states_));
    *prices /= prices->sum();
  }
  return true;
}

}  // namespace kpm
