#include "risk/two_valued_change.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/expm1.hpp"
#include "numerics/log1p.hpp"
#include "risk/two_valued.hpp"

namespace kpm {

namespace {

constexpr int kIterations = 30;

Pair expm1_of_any(const Pair& x) {
  return x.abs().maxCoeff() <= kExpm1Doubled ? expm1_of<Exponents::kMedium>(x)
                                             : expm1_of<Exponents::kAny>(x);
}

}  // namespace

TwoValuedChange::TwoValuedChange(Eigen::Index states)
    : states_(states), terms_(states, ExponentialSum::kTerms) {
  high_.resize(static_cast<std::size_t>(states));
}

void TwoValuedChange::set_base(const TiltChange& tilt) {
  a_ = tilt.risk_aversion();
  t_ = tilt.inverse_mu();
  mean_utility_ = tilt.mean_utility();
  phi_range_ = tilt.phi_range();
  variance_ = tilt.variance();
  third_ = tilt.third_moment();
  base_ = t_ > 0.0 && variance_ > 0.0 && tilt.is_accurate();
  if (base_) {
    for (Eigen::Index i = 0; i < states_; ++i) {
      ExponentialSum::fill_terms(tilt.p()[i], tilt.phi()[i] / phi_range_, &terms_(i, 0));
      high_[static_cast<std::size_t>(i)] = i;
    }
    all_.add_up(terms_.data(), high_.data(), states_);
  }
}

bool TwoValuedChange::set_claim(const double* payoff) {
  const double first = payoff[0];
  const double* const end = payoff + states_;
  const double* const other = std::find_if(payoff, end, [&](double v) { return v != first; });
  if (!base_ || other == end) {
    return false;
  }
  low_payoff_ = std::min(first, *other);
  high_payoff_ = std::max(first, *other);
  if (shows_third_payoff(payoff, states_, first, *other)) {
    return false;
  }
  Eigen::Index count = 0;
  bool two = true;
  for (Eigen::Index i = 0; i < states_; ++i) {
    const bool high = payoff[i] == high_payoff_;
    two &= high || payoff[i] == low_payoff_;
    high_[static_cast<std::size_t>(count)] = i;
    count += high ? 1 : 0;
  }
  if (two) {
    on_.add_up(terms_.data(), high_.data(), count);
  }
  return two;
}

bool TwoValuedChange::costs(double shares, double* sold, double* bought) const {
  const double a = a_;
  const double e = mean_utility_;
  const double range = phi_range_;
  const double scale = a / e;
  const double move = shares * (high_payoff_ - low_payoff_);
  if (!(a * std::abs(move) <= TiltChange::kLargest)) {
    return false;
  }
  const Pair growth_on = expm1_of_any(a * Pair(move, -move));
  const Pair g_on = growth_on / a;  // G
  // E_S phi^k
  const double m0 = on_.moment(0);
  const double m1 = on_.moment(1) * range;
  const double m2 = on_.moment(2) * range * range;
  const double m3 = on_.moment(3) * range * range * range;
  PsiMoments<Pair> psi;
  psi.mean = g_on * (e * m0 + a * m1);
  psi.covariance = g_on * (e * m1 + a * m2);
  psi.square = g_on * g_on * (e * e * m0 + 2.0 * e * a * m1 + a * a * m2);
  psi.phi_skew = g_on * (e * m2 + a * m3);
  psi.psi_skew = g_on * g_on * (e * e * m1 + 2.0 * e * a * m2 + a * a * m3);
  Pair tau = psi.second_order_root(t_, variance_, third_);
  const Pair utility = 1.0 + growth_on;  // phi + psi = utility phi + offset on S
  const Pair offset = g_on * e;
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    tau = tau.max(-0.5 * t_);
    const Pair t = t_ + tau;
    const Pair off = range * tau;
    const Pair on = off + range * t * growth_on;
    const Pair c = t * offset;
    if (!(off.abs().max(on.abs()).maxCoeff() <= all_.reach() && c.abs().maxCoeff() < 700.0)) {
      return false;
    }
    const ExponentialSum::Excess everywhere = all_.at(off);
    const ExponentialSum::Excess before = on_.at(off);
    const ExponentialSum::Excess after = on_.at(on);
    const Pair excess = expm1_of_any(c);
    const Pair power = 1.0 + excess;
    const Pair mass = m0 + after.value;
    const Pair first_moment_on = m1 + range * after.first;
    // E e^m - 1, E phi e^m and E psi e^m.
    const Pair z = everywhere.value + excess * mass + (after.value - before.value);
    const Pair first_moment =
        range * (everywhere.first + (after.first - before.first)) + excess * first_moment_on;
    const Pair inverse = 1.0 / (1.0 + z);
    const Pair of_phi = first_moment * inverse;
    const Pair of_psi = power * (offset * mass + growth_on * first_moment_on) * inverse;
    const Pair divergence = tau * of_phi + t * of_psi - log1p_of(z);
    const Pair g = divergence + t_ * of_phi;
    // The variance of phi + psi.
    const Pair mean = of_phi + of_psi;
    const Pair squares = range * range * (everywhere.second - before.second) +
                         power * (utility * utility * range * range * after.second +
                                  offset * (2.0 * utility * first_moment_on + offset * mass));
    const Pair variance = squares * inverse - mean * mean;
    if (!(variance.minCoeff() > 0.0 && z.minCoeff() > TiltChange::kLeastMass - 1.0)) {
      return false;
    }
    const Pair step = g / (t * variance);
    const Pair above = 0.5 * scale * g * step / (t * t);
    const Pair moved = step.abs() * (1.0 / t + range);
    if ((above * moved <= TiltChange::kAccurate * growth_on.abs()).all()) {
      const Pair growth = scale * (of_psi + (g - divergence) / t_ - g / t) - above;
      if (!(growth.minCoeff() > -1.0)) {
        return false;
      }
      const Pair change = log1p_of(growth) / a;
      *sold = shares * low_payoff_ + change[0];
      *bought = shares * low_payoff_ - change[1];
      return true;
    }
    tau -= step.max(-0.5 * t).min(2.0 * t);
  }
  return false;
}

}  // namespace kpm
