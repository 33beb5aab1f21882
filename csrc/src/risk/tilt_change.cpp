#include "risk/tilt_change.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/arena.hpp"
#include "numerics/pair.hpp"

namespace kpm {

namespace {

constexpr double kSeries = 0.05;  // up to here the series of e^x - 1 holds to rounding
constexpr double kAccurate =
    1e-13;                          // second-order error, relative to the change: third is rounding
constexpr double kLastStep = 1e-7;  // relative: Newton's next step is rounding
constexpr int kIterations = 30;

PairSlice pair_at(Array& values, Eigen::Index i) { return PairSlice(&values[i]); }

/// e^x - 1 for |x| <= kSeries: eight terms.
template <class Number>
Number expm1_series(const Number& x) {
  constexpr double c2 = 1.0 / 2;
  constexpr double c3 = 1.0 / 6;
  constexpr double c4 = 1.0 / 24;
  constexpr double c5 = 1.0 / 120;
  constexpr double c6 = 1.0 / 720;
  constexpr double c7 = 1.0 / 5040;
  constexpr double c8 = 1.0 / 40320;
  const Number square = x * x;
  // Two halves side by side: the processor need not wait for one to finish.
  const Number odd = c3 + square * (c5 + square * c7);
  const Number even = c2 + square * (c4 + square * (c6 + square * c8));
  return x + square * (even + x * odd);
}

}  // namespace

TiltChange::TiltChange(Eigen::Index states)
    : states_(states),
      padded_((states + 1) / 2 * 2),
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
  phi_range_ = 0.0;
  for (Eigen::Index i = 0; i < states_; ++i) {
    p_[i] = p[i] / mass;
    g_[i] = p_[i] * u_[i] / mean_utility_;
    phi_[i] -= mean;
    variance_ += p_[i] * phi_[i] * phi_[i];
    phi_range_ = std::max(phi_range_, std::abs(phi_[i]));
  }
  prices_ = g_.head(states_) / g_.head(states_).sum();
}

/// Sets growth, psi and the covariance of psi with phi under p.
void TiltChange::fill_psi(const ArrayView& change, double low, double high) {
  const double largest = a_ * std::max(std::abs(low), std::abs(high));
  if (((change - low) * (high - change)).maxCoeff() == 0.0) {
    // A claim that pays or does not: its states share two exponentials.
    const double of_low = std::expm1(a_ * low);
    const double slope = (std::expm1(a_ * high) - of_low) / (high - low);
    growth_.head(states_) = of_low + slope * (change - low);
  } else if (largest <= kSeries) {
    for (Eigen::Index i = 0; i < states_; ++i) {
      growth_[i] = expm1_series(a_ * change[i]);
    }
  } else {
    for (Eigen::Index i = 0; i < states_; ++i) {
      growth_[i] = std::expm1(a_ * change[i]);
    }
  }
  Pair covariance(0.0, 0.0);
  const double inverse_a = 1.0 / a_;
  for (Eigen::Index i = 0; i < padded_; i += 2) {
    const Pair psi = inverse_a * pair_at(u_, i) * pair_at(growth_, i);
    pair_at(psi_, i) = psi;
    covariance += pair_at(p_, i) * psi * pair_at(phi_, i);
  }
  covariance_ = covariance.sum();
}

/// The root of G to second order in the change: one step from the first-order root `tau`.
double TiltChange::second_order_root(double tau) const {
  const double t = t_ + tau;
  Pair mean(0.0, 0.0);
  Pair square(0.0, 0.0);
  Pair skew(0.0, 0.0);
  for (Eigen::Index i = 0; i < padded_; i += 2) {
    const Eigen::Map<const Pair> phi(&phi_[i]);
    const Pair m = tau * phi + t * Eigen::Map<const Pair>(&psi_[i]);
    const Pair weight = Eigen::Map<const Pair>(&p_[i]) * m;
    mean += weight;
    square += weight * m;
    skew += weight * m * phi;
  }
  // KL = Var m / 2, and what m^2 / 2 adds to the lean; the mean of phi is zero. What the
  // first-order root left of t sum p m phi, through the change of t, is of second order, too.
  const double centre = mean.sum();
  const double divergence = 0.5 * (square.sum() - centre * centre);
  const double product = tau * variance_ + t * covariance_;
  const double g = divergence + t_ * (product + 0.5 * skew.sum() - centre * product);
  return tau - g / (t * (variance_ + 2.0 * covariance_));
}

/// The sums for the tilt t + tau; returns G.
template <bool kSmall>
double TiltChange::sums(double tau, bool keep) {
  const double t = t_ + tau;
  Pair z(0.0, 0.0);
  Pair lean(0.0, 0.0);
  Pair mean_m(0.0, 0.0);
  Pair gain(0.0, 0.0);
  Pair first(0.0, 0.0);
  Pair second(0.0, 0.0);
  for (Eigen::Index i = 0; i < padded_; i += 2) {
    const Pair phi = pair_at(phi_, i);
    const Pair psi = pair_at(psi_, i);
    const Pair p = pair_at(p_, i);
    const Pair m = tau * phi + t * psi;
    Pair excess;
    if (kSmall) {
      excess = expm1_series<Pair>(m);
    } else {
      excess = Pair(std::expm1(m[0]), std::expm1(m[1]));
    }
    if (keep) {
      pair_at(moved_, i) = excess;
    }
    const Pair value = 1.0 + excess;
    const Pair weight = p * excess;
    z += weight;
    lean += weight * phi;
    mean_m += p * value * m;
    gain += pair_at(g_, i) * pair_at(growth_, i) * value;
    const Pair mass = p * value * (phi + psi);
    first += mass;
    second += mass * (phi + psi);
  }
  z_ = z.sum();
  const double inverse = 1.0 / (1.0 + z_);
  lean_ = lean.sum() * inverse;
  mean_m_ = mean_m.sum() * inverse;
  gain_ = gain.sum() * inverse;
  const double mean = first.sum() * inverse;
  moved_variance_ = second.sum() * inverse - mean * mean;
  return mean_m_ - std::log1p(z_) + t_ * lean_;
}

bool TiltChange::evaluate(const ArrayView& change, double low, double high, double* value,
                          Array* prices) {
  fill_psi(change, low, high);
  double growth = 0.0;
  if (t_ == 0.0) {  // p does not move
    growth = (g_ * growth_).sum();
    moved_.setZero();
  } else {
    // Utilities are at most one: no psi is larger than this, and none of the expm1(a d).
    const double span = std::max(std::abs(std::expm1(a_ * low)), std::abs(std::expm1(a_ * high)));
    const double reach = span / a_;
    double tau = variance_ > 0.0 ? -t_ * covariance_ / variance_ : 0.0;
    if (t_ + tau > 0.0 && std::abs(tau) * phi_range_ + (t_ + tau) * reach <= kSeries) {
      tau = second_order_root(tau);
    }
    bool found = false;
    bool last = false;
    for (int iteration = 0; iteration < kIterations && !found; ++iteration) {
      if (!(t_ + tau > 0.0)) {
        tau = -0.5 * t_;
      }
      const double t = t_ + tau;
      const bool small = std::abs(tau) * phi_range_ + t * reach <= kSeries;
      const bool keep = prices != nullptr;
      const double g = small ? sums<true>(tau, keep) : sums<false>(tau, keep);
      const double variance = moved_variance_;
      if (!std::isfinite(g) || !(variance > 0.0)) {
        return false;
      }
      const double step = g / (t * variance);
      const double scale = a_ / mean_utility_;
      // The Lagrangian's value, and what it is above its least: to second order.
      const double above = 0.5 * scale * g * step / (t * t);
      const double divergence = mean_m_ - std::log1p(z_);
      growth = gain_ + scale * ((g - divergence) / t_ - g / t) - above;
      // The value is right to second order in what is left of the step, the prices to first.
      found = above <= kAccurate * span && (prices == nullptr || last);
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
