// How RiskBlock is made and where it starts: a point near its central path for given losses.
#include <algorithm>
#include <cmath>

#include "ipm/risk_block.hpp"
#include "numerics/entropy.hpp"
#include "numerics/product_log.hpp"
#include "numerics/variance.hpp"

namespace kpm {

namespace {

// The search for a tilt whose entropy is a fair share of what is allowed.
constexpr int kAttempts = 100;
constexpr double kFair = 0.3;       // shares of what is allowed: enough,
constexpr double kAim = 0.6;        // aimed at,
constexpr double kFaint = 1e-3;     // and so little that the worst state must be nearly impossible
constexpr double kShortest = 1e-4;  // in ln(1 / mu): steps outside these are bisected
constexpr double kLongest = 3.0;

// A ratio p / q that underflows could not recover.
constexpr double kLeastRatio = 1e-30;
const double kLeastExponent = std::log(kLeastRatio);

constexpr double kLift = 0.1;  // share of the entropy left that lifting rare states may take

double entropy_of(const Pair& q, const Pair& m, const Pair& ratio, const Pair& excess) {
  return q[0] * entropy_integrand(m[0], {ratio[0], excess[0]}) +
         q[1] * entropy_integrand(m[1], {ratio[1], excess[1]});
}

/// A maker this averse, per unit of money, values losses as the worst-state maker does, to 5e-14
/// for the least prior there is. Exponents of any greater aversion would be rounding.
constexpr double kMostAverse = 1e16;

}  // namespace

RiskBlock::RiskBlock(const ScaledMarket& market, Arena& arena)
    : p(arena.array(market.states())),
      g(arena.array(market.states())),
      step_g(arena.array(market.states())),
      market_(market),
      ball_(market.kind == Ambiguity::kBall),
      simplex_(market.kind == Ambiguity::kSimplex),
      a_(simplex_ ? 0.0 : std::min(market.risk_aversion, kMostAverse)),
      inverse_a_(simplex_ ? 0.0 : 1.0 / a_),
      count_(market.states()),
      rare_(!simplex_ && market.prior.minCoeff() < kRare),
      states_(arena.span<States>((count_ + 1) / 2)) {
  for (Eigen::Index k = 0; k < states_.size(); ++k) {
    States& state = states_[k];
    const Pair q = pair_of(market.prior.data(), count_, k);
    state.weight = simplex_ ? Pair(0.5 + 0.5 / (static_cast<double>(count_) * q)) : Pair(1.0, 1.0);
    state.q = {q[0], 2 * k + 1 < count_ ? q[1] : 0.0};
  }
}

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
  if (rare_ && ball_) {
    lift_rare_states(tau);
  }
  for (States& state : states_) {
    state.gamma /= utility;
  }
  refresh();
}

/// g alone, roughly: a ball tilts like additional risk aversion, and 1 / (1 - z + z^2 / 2) stands
/// for the exponential. Losses that differ by less than tau count as equal. Where the worst state
/// decides, tilt() is as cheap.
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
/// `entropy_share` times the radius, then t and h so that t g and h p are tau times the weight,
/// mostly q, and the stationarity holds.
void RiskBlock::start(const ArrayView& loss, double tau, double entropy_share, double rare) {
  if (rare_) {
    weigh_rare_states(rare);
  }
  tilt(loss, tau, entropy_share);
  if (simplex_) {
    return;
  }
  const double log_tau = std::log(a_ * tau);
  Pair excess(0.0, 0.0);
  for (Eigen::Index k = 0; k < states_.size(); ++k) {
    States& state = states_[k];
    const Pair surplus = pair_of(loss.data(), count_, k) - c_;
    Pair log_product = log_tau - state.m;  // relative to the tilt
    if (rare_) {
      log_product += state.weight.log();
    }
    state.t = each_of(log_product - a_ * surplus, product_log) * inverse_a_;
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
      state.h = tau * state.weight / state.ratio;
      entropy += entropy_of(state.q, state.m, state.ratio, state.excess);
    }
    slack_ = market_.ambiguity - entropy;
    ball_weight_ = std::min(1.0, mu_ * slack_ / tau);
  }
  refresh();
}

/// A state of prior 1e-20 may carry a third of p at the optimum. Complementarity products of 1e-20
/// would let its probability vanish on the way, and probabilities, which grow by a factor per step,
/// do not come back from there.
void RiskBlock::weigh_rare_states(double rare) {
  for (Eigen::Index k = 0; k < states_.size(); ++k) {
    const Pair prior = pair_of(market_.prior.data(), count_, k);
    states_[k].weight = (prior < kRare).select((rare / prior).max(1.0), 1.0);
  }
}

/// The central path at tau keeps h p at tau times the weight, so a rare state stands far above its
/// tilt there: p e^z with mu z = h. All of them together take a share of the entropy left.
void RiskBlock::lift_rare_states(double tau) {
  int rare = 0;
  double left = market_.ambiguity;
  for (const States& state : states_) {
    rare += static_cast<int>((state.weight > 1.0).count());
    left -= entropy_of(state.q, state.m, state.ratio, state.excess);
  }
  const double room = kLift * left / rare;
  for (Eigen::Index k = 0; k < states_.size(); ++k) {
    States& state = states_[k];
    const Pair prior = pair_of(market_.prior.data(), count_, k);  // an odd last state's twin, too
    for (int half = 0; half < 2; ++half) {
      if (state.weight[half] == 1.0) {
        continue;
      }
      const double m = state.m[half];
      const double lift = product_log(std::log(tau * state.weight[half] / mu_) - m);
      const double highest = std::log(room / (prior[half] * -std::log(prior[half])));
      state.m[half] = std::max(m, std::min(m + lift, highest));
      const Power power = power_of(state.m[half]);
      state.ratio[half] = power.value;
      state.excess[half] = power.excess;
    }
  }
}

/// p proportional to q e^{phi / mu}; returns its entropy.
double RiskBlock::tilt_by(double inverse_mu) {
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
  return entropy;
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
  const double most = entropy_share * market_.ambiguity;
  const double least = std::min(market_.prior.minCoeff(), 1.0);
  // No multiplier below tau, in units of the prior's utility. Losses that happen to be equal at the
  // start will not stay so: a small ball then still needs the multiplier that goes with its size.
  const double unit = tau * (1.0 + a_ * mean);
  mu_ = std::max({std::max(std::sqrt(sum.sum()), unit) / std::sqrt(2.0 * most), unit, tau * least});
  const double entropy = tilt_by(1.0 / mu_);
  // Where the worst states are nearly impossible the guess is off by many powers of ten: p is far
  // outside the ball, or still at the prior though the losses differ by more than mu.
  const bool faint = !(entropy > kFaint * most) && lowest.minCoeff() < -mu_;
  if (entropy > most || faint) {
    search_tilt(entropy, most);
  }
  for (States& state : states_) {
    const auto vanishing = state.ratio < kLeastRatio;
    state.m = vanishing.select(kLeastExponent, state.m);
    state.ratio = vanishing.select(kLeastRatio, state.ratio);
  }
}

/// The entropy rises with x = ln(1 / mu), from 0 to that of the worst states alone: Newton's method
/// on its logarithm, nearly a line while p is near q, and bisection where that leaps.
void RiskBlock::search_tilt(double entropy, double most) {
  Pair worst(0.0, 0.0);
  for (const States& state : states_) {
    worst += (state.phi == 0.0).select(state.q, 0.0);
  }
  const double goal = std::min(most, -0.5 * std::log(worst.sum()));
  if (entropy <= goal && entropy >= kFaint * goal) {
    return;  // the worst states are too likely for more
  }
  double low = -kInfinity;
  double high = kInfinity;
  double stride = 1.0;
  // The condition is also false for losses that are NaN.
  for (int attempt = 0; (entropy > goal || entropy < kFair * goal) && attempt < kAttempts;
       ++attempt) {
    const double x = -std::log(mu_);
    (entropy > goal ? high : low) = x;
    const double slope = variance() / (mu_ * mu_);
    double next = x + std::log(kAim * goal / entropy) * entropy / slope;
    const double step = std::abs(next - x);
    if (!(next > low && next < high && step >= kShortest && step <= kLongest)) {
      stride *= 2.0;
      next = std::isinf(low) ? high - stride : std::isinf(high) ? low + stride : 0.5 * (low + high);
    }
    mu_ = std::exp(-next);
    entropy = tilt_by(1.0 / mu_);
  }
}

double RiskBlock::variance() const {
  return variance_of<2>(
      states_, [](const States& state) -> Pair { return state.q * state.ratio; },
      [](const States& state) { return state.phi; }, 1.0);
}

}  // namespace kpm
