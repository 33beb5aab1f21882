#include "risk/risk_measure.hpp"

#include <algorithm>
#include <cmath>
#include <new>

#include "numerics/entropy.hpp"
#include "numerics/variance.hpp"

namespace kpm {

namespace {

constexpr double kExact = 4e-16;  // relative, of the entropy: rounding
/// Newton squares a relative error up to a factor: after a step this short the next is rounding.
constexpr double kLastStep = 1e-8;
constexpr double kNear = 1e-4;  // in ln(entropy): a short step may only be due to a steep slope
constexpr double kLongestStep = 3.0;  // a factor of 20 in mu: farther lies the flat tail
constexpr double kBelievable = 10.0;  // an estimate may be this far from the small ball's answer

// Balls so small that next to no mass can leave the likely states, and the utility loss of these,
// as a share of the worst state's, of which the differences among them would lose their digits.
constexpr double kTinyBall = 1e-20;
constexpr double kFaint = 1e-4;
constexpr double kLargestPower = 700.0;  // whose exponential is a double

}  // namespace

RiskMeasure::RiskMeasure(const ArrayView& prior, double risk_aversion, Arena& arena)
    : risk_aversion_(risk_aversion),
      states_(arena.span<State>(prior.size())),
      worst_case_(arena.array(prior.size())) {}

void RiskMeasure::set_ball(const ArrayView& prior, double ambiguity, Ambiguity kind) {
  ambiguity_ = ambiguity;
  ball_ = kind != Ambiguity::kNone;
  states_ = {states_.begin(), prior.size()};
  new (&worst_case_) Slice(worst_case_.data(), prior.size());
  worst_case_ = prior;
  for (Eigen::Index i = 0; i < states_.size(); ++i) {
    states_[i].q = prior[i];
  }
}

/// Of phi / unit under p = q ratio.
double RiskMeasure::variance(double unit) const {
  using One = Eigen::Array<double, 1, 1>;
  return variance_of<1>(
      states_, [](const State& state) { return One::Constant(state.q * state.ratio).eval(); },
      [](const State& state) { return One::Constant(state.phi).eval(); }, unit);
}

/// p proportional to q e^{phi / mu}, with its entropy.
void RiskMeasure::tilt(double inverse_mu) {
  const double origin = inverse_mu * highest_ > kLargestPower ? highest_ : 0.0;
  TiltMass mass;
  for (State& state : states_) {
    const Power power = power_of(inverse_mu * (state.phi - origin));
    state.ratio = power.value;
    state.excess = power.excess;
    mass.add(state.q, power);
  }
  const double log_mass = mass.log();
  entropy_ = 0.0;
  for (State& state : states_) {
    const Power power = mass.normalised({state.ratio, state.excess});
    entropy_ += state.q * entropy_integrand(inverse_mu * (state.phi - origin) - log_mass, power);
    state.ratio = power.value;
  }
}

/// ln(1/mu) of the tilt that a small ball admits, or of one that leaves only the worst states.
double RiskMeasure::start() const {
  double spread = 0.0;
  for (const State& state : states_) {
    spread = std::max(spread, highest_ - state.phi);
  }
  const double tilt = std::sqrt(2.0 * ambiguity_ / variance(spread));
  return std::log(std::min(tilt, kLargestExponent) / spread);
}

/// Entropy rises with 1/mu from 0 to -ln(probability of the worst states): safeguarded Newton on
/// x = ln(1/mu), with ln(entropy) nearly linear for small balls.
void RiskMeasure::solve_for_multiplier(double x) {
  const double omega = ambiguity_;
  double low = -kInfinity;
  double high = kInfinity;
  bool last = false;
  for (int iteration = 0; iteration < 200; ++iteration) {
    const double inverse_mu = std::exp(x);
    tilt(inverse_mu);
    if (last || std::abs(entropy_ - omega) <= kExact * omega) {
      break;
    }
    (entropy_ < omega ? low : high) = x;
    // Far from the root Newton may leap into the flat tail.
    const double off = std::log(omega / entropy_);
    const double slope = variance(1.0 / inverse_mu);  // d entropy / d ln(1/mu)
    const double newton = std::clamp(off * entropy_ / slope, -kLongestStep, kLongestStep);
    last = std::abs(newton) <= kLastStep && std::abs(off) <= kNear;
    double next = x + newton;
    if (!last && !(next > low && next < high)) {
      next = std::isinf(high) ? low + 2.0 : std::isinf(low) ? high - 2.0 : 0.5 * (low + high);
    }
    if (next == x || high - low < 1e-15 * std::abs(x)) {
      break;
    }
    x = next;
  }
  multiplier_ = std::exp(-x);
}

/// Whether the ball reaches distributions on the worst states alone. Where these are likely their
/// mass rounds to one; that of the others does not.
bool RiskMeasure::is_at_kink(double worst_probability) const {
  if (worst_probability < 0.5) {
    return ambiguity_ >= -std::log(worst_probability);
  }
  double rest = 0.0;
  for (const State& state : states_) {
    rest += state.phi == 0.0 ? 0.0 : state.q;
  }
  return ambiguity_ >= -std::log1p(-rest);
}

/// Measure phi from the likeliest state instead of the worst, where a tiny ball needs that.
bool RiskMeasure::centre_on_likeliest() {
  const State likeliest =
      *std::max_element(states_.begin(), states_.end(),
                        [](const State& one, const State& other) { return one.q < other.q; });
  if (likeliest.utility >= kFaint) {
    return false;
  }
  const double a = risk_aversion_;
  for (State& state : states_) {
    const double apart = state.deviation - likeliest.deviation;
    const double larger = std::exp(a * std::max(state.deviation, likeliest.deviation)) / a;
    state.phi = std::copysign(larger * -std::expm1(-a * std::abs(apart)), apart);
    highest_ = std::max(highest_, state.phi);
  }
  return true;
}

double RiskMeasure::evaluate(const ArrayView& loss, double near_rho, double near_multiplier) {
  const double a = risk_aversion_;
  double worst = -kInfinity;
  for (Eigen::Index i = 0; i < states_.size(); ++i) {
    worst = std::max(worst, loss[i]);
  }
  double worst_probability = 0.0;
  bool alike = true;
  for (Eigen::Index i = 0; i < states_.size(); ++i) {
    State& state = states_[i];
    state.deviation = loss[i] - worst;
    const Power power = power_of(a * state.deviation);
    state.utility = power.value;
    state.phi = a > 0.0 ? power.excess / a : state.deviation;
    state.ratio = 1.0;
    worst_probability += state.phi == 0.0 ? state.q : 0.0;
    alike = alike && state.phi == 0.0;
  }

  bool faint = false;
  highest_ = 0.0;
  if (!ball_) {
    multiplier_ = kInfinity;  // p = q: no multiplier is large enough
  } else {
    // A kink: rho is the maximum. So are equal losses in all states, even if the prior adds up to a
    // digit less than one.
    if (alike || is_at_kink(worst_probability)) {
      for (Eigen::Index i = 0; i < states_.size(); ++i) {
        const State& state = states_[i];
        worst_case_[i] = state.phi == 0.0 ? state.q / worst_probability : 0.0;
      }
      multiplier_ = 0.0;
      return worst;
    }
    faint = ambiguity_ < kTinyBall && centre_on_likeliest();
    const double unknown = start();
    const double known = -std::log(near_multiplier) - a * (near_rho - worst);
    solve_for_multiplier(std::abs(known - unknown) < kBelievable ? known : unknown);
  }

  double mass = 0.0;
  double mean = 0.0;
  double utility = 0.0;
  for (Eigen::Index i = 0; i < states_.size(); ++i) {
    const State& state = states_[i];
    const double p = state.q * state.ratio;
    worst_case_[i] = p;
    mass += p;
    mean += p * state.phi;
    utility += p * state.utility;
  }
  mean /= mass;
  // Where the worst state is unlikely 1 + a mean has lost its digits, but the plain sum has not.
  const bool plain = faint || a * mean <= -0.5;
  utility = plain ? utility / mass : 1.0 + a * mean;
  multiplier_ /= utility;
  return worst + (plain ? std::log(utility) / a : scaled_log1p(a, mean));
}

}  // namespace kpm
