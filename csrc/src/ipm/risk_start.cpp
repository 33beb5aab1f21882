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

struct PairPower {
  Pair value, excess;
};

PairPower powers_of(const Pair& u) {
  const Power first = power_of(u[0]);
  const Power second = u[1] == u[0] ? first : power_of(u[1]);
  return {{first.value, second.value}, {first.excess, second.excess}};
}

double entropy_of(const Pair& q, const Pair& m, const Pair& ratio, const Pair& excess) {
  return q[0] * entropy_integrand(m[0], {ratio[0], excess[0]}) +
         q[1] * entropy_integrand(m[1], {ratio[1], excess[1]});
}

}  // namespace

void RiskBlock::tilt(const ArrayView& loss, double tau, double entropy_share) {
  const double worst = loss.maxCoeff();
  mu_ = kappa_ = 0.0;
  slack_ = ball_weight_ = 1.0;
  const Pair zero(0.0, 0.0);
  const Pair one(1.0, 1.0);
  for (States& state : states_) {
    state.m = state.excess = state.e = state.phi = state.h = zero;
    state.ratio = state.gamma = one;
    // No step yet. A cell that ran into infinities must leave nothing behind: 0 * NaN is NaN.
    state.x = state.eps = state.dt = state.dh = zero;
  }
  dc_ = dmu_ = dkappa_ = dslack_ = 0.0;
  if (simplex_) {
    c_ = worst + tau;
    Pair mass = zero;
    for (Eigen::Index k = 0; k < states_.size(); ++k) {
      States& state = states_[k];
      state.t = c_ - pair_of(loss.data(), count_, k);
      state.ratio = state.weight * (tau / state.t);
      mass += state.q * state.ratio;
    }
    const double total = mass.sum();
    for (States& state : states_) {
      state.ratio /= total;
    }
    refresh();
    return;
  }

  // Utilities relative to the worst state's: all of them in [0, 1].
  for (Eigen::Index k = 0; k < states_.size(); ++k) {
    States& state = states_[k];
    const PairPower power = powers_of(a_ * (pair_of(loss.data(), count_, k) - worst));
    state.gamma = power.value;
    state.phi = power.excess * inverse_a_;
  }
  if (ball_) {
    tilt_in_ball(tau, entropy_share);
  }
  Pair utilities = zero;
  Pair mean = zero;
  for (const States& state : states_) {
    utilities += state.q * state.ratio * state.gamma;
    mean += state.q * state.ratio * state.phi;
  }
  const double utility = utilities.sum();
  c_ = worst + (utility > 0.5 ? scaled_log1p(a_, mean.sum()) : std::log(utility) / a_);
  mu_ /= utility;
  for (States& state : states_) {
    state.gamma /= utility;
  }
  refresh();
}

/// g alone, roughly: a ball tilts like so much risk aversion more, and for the exponential stands
/// 1 / (1 - z + z^2 / 2). Losses that differ by less than tau are not told apart. Where the worst
/// state decides, tilt() is as cheap.
void RiskBlock::guess(const ArrayView& loss, double tau, double entropy_share) {
  if (simplex_) {
    tilt(loss, tau, entropy_share);
    return;
  }
  const double worst = loss.maxCoeff();
  double strength = a_;
  if (ball_) {
    Pair mean(0.0, 0.0);
    Pair square(0.0, 0.0);
    for (Eigen::Index k = 0; k < states_.size(); ++k) {
      const Pair deviation = pair_of(loss.data(), count_, k) - worst;
      mean += states_[k].q * deviation;
      square += states_[k].q * deviation.square();
    }
    const double variance = std::max(square.sum() - mean.sum() * mean.sum(), 0.0);
    const double deviation = std::max(std::sqrt(variance), tau);
    strength += std::sqrt(2.0 * entropy_share * market_.ambiguity) / deviation;
  }
  Pair mass(0.0, 0.0);
  for (Eigen::Index k = 0; k < states_.size(); ++k) {
    States& state = states_[k];
    const Pair z = strength * (pair_of(loss.data(), count_, k) - worst);
    state.g = state.q / (1.0 - z + 0.5 * z * z);
    mass += state.g;
  }
  const double total = mass.sum();
  for (Eigen::Index k = 0; k < states_.size(); ++k) {
    put(g, k, states_[k].g / total);
  }
}

/// On the central path at `tau` for the given losses, but for second-order terms: p on a ball of
/// `entropy_share` times the radius, then t and h so that t g and h p are tau q and the
/// stationarity holds.
void RiskBlock::start(const ArrayView& loss, double tau, double entropy_share) {
  tilt(loss, tau, entropy_share);
  if (simplex_) {
    return;
  }
  const double log_tau = std::log(a_ * tau);  // the weights are the prior's
  Pair excess(0.0, 0.0);
  for (Eigen::Index k = 0; k < states_.size(); ++k) {
    States& state = states_[k];
    const Pair surplus = pair_of(loss.data(), count_, k) - c_;
    state.t = each_of(log_tau - state.m - a_ * surplus, product_log) * inverse_a_;
    state.e = surplus + state.t;
    excess +=
        state.q * state.ratio * each_of(state.e, [this](double e) { return scaled_expm1(a_, e); });
  }
  const double shift = scaled_log1p(a_, excess.sum());  // sum g = 1
  c_ += shift;
  Pair kappa(0.0, 0.0);
  for (States& state : states_) {
    state.e -= shift;
    const PairPower power = powers_of(a_ * state.e);
    state.gamma = power.value;
    state.phi = power.excess * inverse_a_;
    kappa += state.q * state.ratio * (state.phi - mu_ * state.m);
  }
  kappa_ = kappa.sum();
  if (ball_) {
    double entropy = 0.0;
    for (States& state : states_) {
      state.h = tau / state.ratio;
      entropy += entropy_of(state.q, state.m, state.ratio, state.excess);
    }
    slack_ = market_.ambiguity - entropy;
    ball_weight_ = std::min(1.0, mu_ * slack_ / tau);
  }
  refresh();
}

/// p proportional to q e^{phi / mu} with at most `entropy_share` of the ball's entropy.
void RiskBlock::tilt_in_ball(double tau, double entropy_share) {
  Pair sum(0.0, 0.0);
  for (const States& state : states_) {
    sum += state.q * state.phi;
  }
  const double mean = sum.sum();
  sum.setZero();
  Pair lowest(0.0, 0.0);
  for (const States& state : states_) {
    sum += state.q * (state.phi - mean).square();
    lowest = lowest.min(state.phi);
  }
  const double variance = sum.sum();
  const double least = std::min(market_.prior.minCoeff(), 1.0);
  // No multiplier below tau, in units of the prior's utility. Losses that happen to be equal at the
  // start will not stay so: a small ball then still needs the multiplier that goes with its size.
  const double unit = tau * (1.0 + a_ * mean);
  mu_ = std::max(
      {std::max(std::sqrt(variance), unit) / std::sqrt(2.0 * entropy_share * market_.ambiguity),
       unit, tau * least});
  // log p / q runs over at most the range of phi / mu, so its entropy is within that.
  const double enough = std::max(mu_, -lowest.minCoeff() / (entropy_share * market_.ambiguity));
  for (int attempt = 0;; ++attempt) {
    const double inverse_mu = 1.0 / mu_;
    TiltMass mass;
    for (States& state : states_) {
      const PairPower power = powers_of(state.phi * inverse_mu);
      state.ratio = power.value;
      state.excess = power.excess;
      mass.add((state.q * power.value).sum(), (state.q * power.excess).sum());
    }
    double entropy = 0.0;
    const double log_mass = mass.log();
    for (States& state : states_) {
      state.m = state.phi * inverse_mu - log_mass;
      for (int half = 0; half < 2; ++half) {
        const Power power = mass.normalised({state.ratio[half], state.excess[half]});
        state.ratio[half] = power.value;
        state.excess[half] = power.excess;
      }
      entropy += entropy_of(state.q, state.m, state.ratio, state.excess);
    }
    // Put so that losses which are no numbers end it, too.
    if (!(entropy > entropy_share * market_.ambiguity && mu_ < enough)) {
      break;
    }
    // With a worst state that is next to impossible the first guess is off by many powers of ten.
    mu_ = attempt < kSmallSteps   ? 1.3 * mu_
          : attempt < kLargeSteps ? std::sqrt(mu_) * std::sqrt(enough)
                                  : enough;
  }
}

}  // namespace kpm
