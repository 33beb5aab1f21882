// Where RiskBlock starts: a point near its central path for given losses.
#include <algorithm>
#include <cmath>

#include "ipm/risk_block.hpp"
#include "numerics/entropy.hpp"

namespace kpm {

namespace {

constexpr int kSmallSteps = 40;  // of the multiplier, until p is inside the ball; then larger ones
constexpr int kLargeSteps = 80;

/// The u > 0 with u e^u = e^x, to a digit or two: where a start needs to be.
double product_log(double x) {
  const double u = x > 1.0 ? x - std::log(x) : 1.0 / (1.0 + std::exp(-x));
  return u * (1.0 + x - std::log(u)) / (1.0 + u);
}

}  // namespace

void RiskBlock::tilt(const Array& loss, double tau, double entropy_share) {
  const double worst = loss.maxCoeff();
  mu_ = kappa_ = 0.0;
  slack_ = ball_weight_ = 1.0;
  for (State& at : states_) {
    at.m = at.excess = at.e = at.phi = at.h = 0.0;
    at.ratio = at.gamma = 1.0;
    // No step yet. A cell that ran into infinities must leave nothing behind: 0 * NaN is NaN.
    at.x = at.eps = at.dt = at.dh = 0.0;
  }
  dc_ = dmu_ = dkappa_ = dslack_ = 0.0;
  if (simplex_) {
    c_ = worst + tau;
    double mass = 0.0;
    for (Eigen::Index i = 0; i < count_; ++i) {
      State& at = states_[static_cast<std::size_t>(i)];
      at.t = c_ - loss[i];
      at.ratio = at.weight / at.q * (tau / at.t);
      mass += at.q * at.ratio;
    }
    for (State& at : states_) {
      at.ratio /= mass;
    }
    refresh();
    return;
  }

  // Utilities relative to the worst state's: all of them in [0, 1].
  for (Eigen::Index i = 0; i < count_; ++i) {
    State& at = states_[static_cast<std::size_t>(i)];
    const Power power = power_of(a_ * (loss[i] - worst));
    at.gamma = power.value;
    at.phi = power.excess * inverse_a_;
  }
  if (ball_) {
    tilt_in_ball(tau, entropy_share);
  }
  double utility = 0.0;
  double mean = 0.0;
  for (const State& at : states_) {
    utility += at.q * at.ratio * at.gamma;
    mean += at.q * at.ratio * at.phi;
  }
  c_ = worst + (utility > 0.5 ? scaled_log1p(a_, mean) : std::log(utility) / a_);
  mu_ /= utility;
  for (State& at : states_) {
    at.gamma /= utility;
  }
  refresh();
}

/// On the central path at `tau` for the given losses, but for second-order terms: p on a ball of
/// `entropy_share` times the radius, then t and h so that t g and h p are tau q and the
/// stationarity holds.
void RiskBlock::start(const Array& loss, double tau, double entropy_share) {
  tilt(loss, tau, entropy_share);
  if (simplex_) {
    return;
  }
  const double log_tau = std::log(a_ * tau);  // the weights are the prior's
  double excess = 0.0;
  for (Eigen::Index i = 0; i < count_; ++i) {
    State& at = states_[static_cast<std::size_t>(i)];
    const double surplus = loss[i] - c_;
    at.t = product_log(log_tau - at.m - a_ * surplus) * inverse_a_;
    at.e = surplus + at.t;
    excess += at.q * at.ratio * scaled_expm1(a_, at.e);
  }
  const double shift = scaled_log1p(a_, excess);  // sum g = 1
  c_ += shift;
  for (State& at : states_) {
    at.e -= shift;
    const Power power = power_of(a_ * at.e);
    at.gamma = power.value;
    at.phi = power.excess * inverse_a_;
    kappa_ += at.q * at.ratio * (at.phi - mu_ * at.m);
  }
  if (ball_) {
    double entropy = 0.0;
    for (State& at : states_) {
      at.h = tau / at.ratio;
      entropy += at.q * entropy_integrand(at.m, {at.ratio, at.excess});
    }
    slack_ = market_.ambiguity - entropy;
    ball_weight_ = std::min(1.0, mu_ * slack_ / tau);
  }
  refresh();
}

/// p proportional to q e^{phi / mu} with at most `entropy_share` of the ball's entropy.
void RiskBlock::tilt_in_ball(double tau, double entropy_share) {
  double mean = 0.0;
  double least = 1.0;
  for (const State& at : states_) {
    mean += at.q * at.phi;
    least = std::min(least, at.q);
  }
  double variance = 0.0;
  for (const State& at : states_) {
    variance += at.q * (at.phi - mean) * (at.phi - mean);
  }
  // No multiplier below tau, in units of the prior's utility. Losses that happen to be equal at the
  // start will not stay so: a small ball then still needs the multiplier that goes with its size.
  const double unit = tau * (1.0 + a_ * mean);
  mu_ = std::max(
      {std::max(std::sqrt(variance), unit) / std::sqrt(2.0 * entropy_share * market_.ambiguity),
       unit, tau * least});
  // log p / q runs over at most the range of phi / mu, so its entropy is within that.
  double lowest = 0.0;
  for (const State& at : states_) {
    lowest = std::min(lowest, at.phi);
  }
  const double enough = std::max(mu_, -lowest / (entropy_share * market_.ambiguity));
  for (int attempt = 0;; ++attempt) {
    const double inverse_mu = 1.0 / mu_;
    TiltMass mass;
    for (State& at : states_) {
      const Power power = power_of(at.phi * inverse_mu);
      at.ratio = power.value;
      at.excess = power.excess;
      mass.add(at.q, power);
    }
    double entropy = 0.0;
    const double log_mass = mass.log();
    for (State& at : states_) {
      at.m = at.phi * inverse_mu - log_mass;
      const Power power = mass.normalised({at.ratio, at.excess});
      at.ratio = power.value;
      at.excess = power.excess;
      entropy += at.q * entropy_integrand(at.m, power);
    }
    if (entropy <= entropy_share * market_.ambiguity || mu_ >= enough) {
      break;
    }
    // With a worst state that is next to impossible the first guess is off by many powers of ten.
    mu_ = attempt < kSmallSteps   ? 1.3 * mu_
          : attempt < kLargeSteps ? std::sqrt(mu_) * std::sqrt(enough)
                                  : enough;
  }
}

}  // namespace kpm
