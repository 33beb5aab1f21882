#include "risk.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace fuzz {

namespace {

using Real = long double;

constexpr Real kReach = 80;  // ln mu on either side of where the utilities differ
constexpr Real kGolden = 0.618033988749894848L;
constexpr Real kWidth = 1e-9L;  // of ln mu; the value is level there to the square of it

/// ln E_q exp(x / mu), for quotients of any size.
Real log_mean_exp(const std::vector<Real>& x, Real mu, const std::vector<double>& prior) {
  const Real top = *std::max_element(x.begin(), x.end());
  Real mean = 0;  // of exp(x / mu) - 1: exact where all quotients are small
  Real tail = 0;  // of exp((x - top) / mu): finite where some are large
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean += prior[i] * std::expm1(x[i] / mu);
    tail += prior[i] * std::exp((x[i] - top) / mu);
  }
  return std::abs(mean) < Real(0.5) ? std::log1p(mean) : top / mu + std::log(tail);
}

}  // namespace

double certainty_equivalent(const std::vector<double>& wealth, const std::vector<double>& prior,
                            double risk_aversion, double ambiguity) {
  const Real worst = *std::min_element(wealth.begin(), wealth.end());
  // Utilities relative to the worst state's: exp(-alpha (w - worst)), one in that state.
  std::vector<Real> fall(wealth.size());
  std::vector<Real> full(wealth.size());
  std::vector<Real> less(wealth.size());
  for (std::size_t i = 0; i < wealth.size(); ++i) {
    const Real exponent = -Real(risk_aversion) * (Real(wealth[i]) - worst);
    fall[i] = exponent;
    full[i] = std::exp(exponent);
    less[i] = std::expm1(exponent);
  }
  const Real spread = -*std::min_element(less.begin(), less.end());
  if (spread <= 0) {
    return static_cast<double>(worst);
  }
  if (ambiguity <= 0.0) {
    return static_cast<double>(worst - log_mean_exp(fall, 1, prior) / Real(risk_aversion));
  }
  // ln of (25), mu (Omega + ln E exp(u / mu)). Less one it is exact near the worst utility.
  const auto value = [&](Real log_mu) {
    const Real mu = std::exp(log_mu);
    const Real below = mu * (ambiguity + log_mean_exp(less, mu, prior));
    return below > Real(-0.5) ? std::log1p(below)
                              : std::log(mu * (ambiguity + log_mean_exp(full, mu, prior)));
  };
  // Convex in mu, so it falls and then rises in ln mu: golden sections. Where it is level to the
  // last digit, mu is so small that it is still falling, or that the worst state is the answer.
  Real low = std::log(spread) - kReach;
  Real high = std::log(spread) + kReach;
  Real left = high - kGolden * (high - low);
  Real right = low + kGolden * (high - low);
  Real at_left = value(left);
  Real at_right = value(right);
  Real least = std::min({Real(0), at_left, at_right});  // zero: the limit of a small mu
  while (high - low > kWidth) {
    if (at_left >= at_right) {
      low = left;
      left = right;
      at_left = at_right;
      right = low + kGolden * (high - low);
      at_right = value(right);
    } else {
      high = right;
      right = left;
      at_right = at_left;
      left = high - kGolden * (high - low);
      at_left = value(left);
    }
    least = std::min({least, at_left, at_right});
  }
  return static_cast<double>(worst - least / Real(risk_aversion));
}

}  // namespace fuzz
