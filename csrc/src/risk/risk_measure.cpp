#include "risk/risk_measure.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/entropy.hpp"

namespace kpm {

RiskMeasure::RiskMeasure(const ScaledMarket& market)
    : market_(market),
      deviation_(market.states()),
      phi_(market.states()),
      log_ratio_(market.states()),
      worst_case_(market.prior) {}

/// p proportional to q e^{phi / mu}, with its entropy and d entropy / d ln(1/mu).
void RiskMeasure::tilt(double inverse_mu) {
  const Array& q = market_.prior;
  // phi <= 0 with equality somewhere, so the largest exponent is zero. ln sum q e^u is computed
  // as log1p of a sum of expm1: for a tiny ball p stays within 1e-12 of q and must not be rounded.
  double excess = 0.0;
  for (Eigen::Index i = 0; i < q.size(); ++i) {
    excess += q[i] * std::expm1(inverse_mu * phi_[i]);
  }
  const double log_sum =
      excess > -0.5 ? std::log1p(excess) : std::log((q * (inverse_mu * phi_).exp()).sum());
  log_ratio_ = inverse_mu * phi_ - log_sum;
  worst_case_ = q * log_ratio_.exp();
  entropy_ = relative_entropy(log_ratio_, q);
  const double mean = (worst_case_ * phi_).sum();
  const double variance = (worst_case_ * (phi_ - mean).square()).sum();
  slope_ = inverse_mu * inverse_mu * variance;
}

double RiskMeasure::evaluate(const Array& loss) {
  const Array& q = market_.prior;
  const double a = market_.risk_aversion;
  const double omega = market_.ambiguity;
  const double worst = loss.maxCoeff();
  deviation_ = loss - worst;
  for (Eigen::Index i = 0; i < q.size(); ++i) {
    phi_[i] = scaled_expm1(a, deviation_[i]);
  }

  if (market_.kind == Ambiguity::kNone) {
    worst_case_ = q;
    multiplier_ = kInfinity;  // p = q: no multiplier is large enough
  } else {
    // The ball reaches the worst states alone: a kink, the maximum decides.
    double worst_probability = 0.0;
    for (Eigen::Index i = 0; i < q.size(); ++i) {
      worst_probability += phi_[i] == 0.0 ? q[i] : 0.0;
    }
    // All of them alike is one too, even if the prior adds up to a digit less than one.
    if (phi_.minCoeff() == 0.0 || omega >= -std::log(worst_probability)) {
      worst_case_ = (phi_ == 0.0).select(q / worst_probability, 0.0);
      multiplier_ = 0.0;
      return worst;
    }
    // Entropy rises with 1/mu from 0 to -ln(worst_probability): safeguarded Newton on ln(1/mu),
    // with sqrt(2 entropy) nearly linear for small balls.
    const double mean = (q * phi_).sum();
    const double deviation = std::sqrt((q * (phi_ - mean).square()).sum());
    double x = std::log(std::sqrt(2.0 * omega) / deviation);
    double low = -kInfinity;
    double high = kInfinity;
    for (int iteration = 0; iteration < 200; ++iteration) {
      tilt(std::exp(x));
      (entropy_ < omega ? low : high) = x;
      if (std::abs(entropy_ - omega) <= 4e-16 * omega) {
        break;
      }
      // Far from the root Newton may leap into the flat tail; a factor of 20 in mu is enough.
      const double newton =
          x + std::clamp(std::log(omega / entropy_) * entropy_ / slope_, -3.0, 3.0);
      const double middle = std::isinf(high)  ? low + 2.0
                            : std::isinf(low) ? high - 2.0
                                              : 0.5 * (low + high);
      const double next = newton > low && newton < high ? newton : middle;
      if (next == x || high - low < 1e-15 * std::abs(x)) {
        break;
      }
      x = next;
    }
    multiplier_ = std::exp(-x);
  }

  const double mass = worst_case_.sum();
  const double mean = (worst_case_ * phi_).sum() / mass;
  // Where the worst state is unlikely 1 + a mean has lost its digits, the plain sum has not.
  const bool plain = a * mean <= -0.5;
  const double utility =
      plain ? (worst_case_ * (a * deviation_).exp()).sum() / mass : 1.0 + a * mean;
  multiplier_ /= utility;
  return worst + (plain ? std::log(utility) / a : scaled_log1p(a, mean));
}

}  // namespace kpm
