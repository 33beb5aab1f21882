#include "risk/knightian_maker.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/entropy.hpp"
#include "risk/ties.hpp"

namespace kpm {

namespace {

constexpr int kBisections = 200;
constexpr int kNewtonSteps = 6;  // from a digit or more to all of them

}  // namespace

KnightianMaker::KnightianMaker(const ArrayView& prior, double risk_aversion, double ambiguity)
    : Maker(prior.size()),
      a_(risk_aversion),
      omega_(ambiguity),
      kind_(kind_of(prior, ambiguity)),
      prior_(prior),
      measure_(prior, risk_aversion, ambiguity, arena_),
      restricted_(prior, 0.0, ambiguity, arena_),
      two_(Array::Constant(2, 0.5), 0.0, 0.0, arena_),
      two_averse_(Array::Constant(2, 0.5), risk_aversion, 0.0, arena_),
      change_(prior.size()),
      deviation_(Array::Zero(prior.size())),
      moved_(Array::Zero(prior.size())),
      worst_(Array::Zero(prior.size())) {
  on_worst_.reserve(static_cast<std::size_t>(prior.size()));
  set_losses(deviation_);
}

/// The worst states S, and the ball on them.
void KnightianMaker::gather_worst_states(double rounding) {
  on_worst_.clear();
  double mass = 0.0;
  for (Eigen::Index i = 0; i < states(); ++i) {
    if (deviation_[i] >= -rounding) {
      deviation_[i] = 0.0;
      worst_[static_cast<Eigen::Index>(on_worst_.size())] = prior_[i];
      on_worst_.push_back(i);
      mass += prior_[i];
    }
  }
  const bool all = static_cast<Eigen::Index>(on_worst_.size()) == states();
  radius_ = all ? omega_ : omega_ + std::log(mass);
  worst_alone_ = kind_ != Ambiguity::kNone && radius_ >= 0.0;
  kink_ = worst_alone_ && radius_ > 0.0 && on_worst_.size() > 1;
  if (kink_) {
    const auto size = static_cast<Eigen::Index>(on_worst_.size());
    worst_.head(size) /= mass;
    restricted_.set_ball(worst_.head(size), radius_);
  }
  if (worst_alone_) {
    state_prices_.setZero();
    for (const Eigen::Index i : on_worst_) {
      state_prices_[i] = prior_[i] / mass;
    }
  }
}

double KnightianMaker::set_losses(const ArrayView& losses) {
  const double top = losses.maxCoeff();
  deviation_ = losses - top;
  gather_worst_states(tie_width(losses));
  if (worst_alone_) {
    rho_ = 0.0;
    return top;
  }
  rho_ = measure_.evaluate(deviation_);
  // The measure states its multiplier in money; the tilt's is per unit of utility.
  const double inverse_mu =
      kind_ == Ambiguity::kNone ? 0.0 : std::exp(-a_ * rho_) / measure_.multiplier();
  change_.set_base(deviation_, measure_.worst_case(), a_, inverse_mu);
  state_prices_ = change_.state_prices();
  return top + rho_;
}

double KnightianMaker::slope(const ArrayView& direction) {
  if (!kink_) {
    return dot(state_prices_.data(), direction.data(), states());
  }
  const auto size = static_cast<Eigen::Index>(on_worst_.size());
  double low = kInfinity;
  double high = -kInfinity;
  for (Eigen::Index i = 0; i < size; ++i) {
    worst_[i] = direction[on_worst_[static_cast<std::size_t>(i)]];
    low = std::min(low, worst_[i]);
    high = std::max(high, worst_[i]);
  }
  double of_high = 0.0;
  double of_low = 0.0;
  for (Eigen::Index i = 0; i < size; ++i) {
    const double q = state_prices_[on_worst_[static_cast<std::size_t>(i)]];
    of_high += worst_[i] == high ? q : 0.0;
    of_low += worst_[i] == low ? q : 0.0;
    if (worst_[i] != low && worst_[i] != high) {
      return restricted_.evaluate(worst_.head(size));
    }
  }
  if (low == high || radius_ >= -std::log(of_high)) {
    return high;
  }
  two_.set_ball(Eigen::Array2d(of_low, of_high), radius_);
  return two_.evaluate(Eigen::Array2d(low, high));
}

/// rho of losses that are deviations already, and a subgradient.
double KnightianMaker::risk_of(const ArrayView& losses, Array* prices) {
  const double rho = measure_.evaluate(losses);
  if (prices != nullptr) {
    const double top = losses.maxCoeff();
    *prices = measure_.worst_case() * (a_ * (losses - top)).exp();
    *prices /= prices->sum();
  }
  return rho;
}

double KnightianMaker::increment(const ArrayView& change, Array* prices) {
  const double low = change.minCoeff();
  const double high = change.maxCoeff();
  if (low == high) {
    if (prices != nullptr) {
      *prices = state_prices_;
    }
    return low;
  }
  if (kind_ == Ambiguity::kSimplex || worst_alone_) {
    // rho(L) is the largest loss, exactly: no digits are lost by starting from it.
    const bool flat = static_cast<Eigen::Index>(on_worst_.size()) == states();
    if (flat && prices == nullptr && ((change - low) * (high - change)).maxCoeff() == 0.0) {
      const double of_high = (change == high).select(prior_, 0.0).sum();
      if (omega_ >= -std::log(of_high)) {
        return high;
      }
      const double of_low = (change == low).select(prior_, 0.0).sum();
      two_averse_.set_ball(Eigen::Array2d(of_low, of_high), omega_);
      return two_averse_.evaluate(Eigen::Array2d(low, high));
    }
    moved_ = deviation_ + change;
    return risk_of(moved_, prices);
  }
  double value = 0.0;
  if (change_.covers(std::max(std::abs(low), std::abs(high))) &&
      change_.evaluate(change, low, high, &value, prices)) {
    return value;
  }
  moved_ = deviation_ + change;
  return risk_of(moved_, prices) - rho_;
}

/// min KL(g|p) over the ball, g outside of it. Stationarity gives p = g / (1 + y / s) with
///   y + ln(1 + y / s) = ln(g / q) - Omega,
/// and p = q e^{Omega - s} where g is zero. Both constraints hold where the p sum to one: one
/// equation in s > 0, the inverse multiplier, positive below the root and negative above.
double KnightianMaker::closest_divergence(const ArrayView& g) {
  Array& p = moved_;
  const auto excess = [&](double s) {
    double sum = 0.0;
    for (Eigen::Index i = 0; i < states(); ++i) {
      if (g[i] == 0.0) {
        p[i] = prior_[i] * std::exp(omega_ - s);
        sum += p[i];
        continue;
      }
      const double target = std::log(g[i] / prior_[i]) - omega_;
      // x + ln x = target + s + ln s with x = s + y; then a step in y, which has the digits.
      const double z = target + s + std::log(s);
      double u = z > 1.0 ? std::log(z - std::log(z)) : z;
      for (int k = 0; k < kNewtonSteps; ++k) {  // u + e^u = z, u = ln x: convex in u
        const double power = std::exp(u);
        u -= (u + power - z) / (1.0 + power);
      }
      const double x = std::exp(u);
      double y = x - s;
      double ratio = x / s;  // g / p = 1 + y / s, from whichever of x and y has the digits
      if (std::abs(y) < 0.5 * s) {
        y += (target - y - std::log1p(y / s)) * (s + y) / (s + y + 1.0);
        ratio = 1.0 + y / s;
      }
      p[i] = g[i] / ratio;
      sum -= p[i] * y / s;
    }
    return sum;
  };
  double low = -20.0;
  double high = 20.0;
  while (excess(std::exp(low)) < 0.0 && low > -650.0) {
    low -= 40.0;
  }
  while (excess(std::exp(high)) > 0.0 && high < 650.0) {
    high += 40.0;
  }
  for (int k = 0; k < kBisections && high - low > 1e-15 * std::max(std::abs(low), 1.0); ++k) {
    const double middle = 0.5 * (low + high);
    (excess(std::exp(middle)) > 0.0 ? low : high) = middle;
  }
  excess(std::exp(0.5 * (low + high)));
  p /= p.sum();
  return relative_entropy_of(g, p);
}

double KnightianMaker::conjugate(const ArrayView& g) {
  if (kind_ == Ambiguity::kSimplex) {
    return 0.0;
  }
  const double divergence = relative_entropy_of(g, prior_);
  if (kind_ == Ambiguity::kNone) {
    return divergence / a_;
  }
  return divergence <= omega_ ? 0.0 : closest_divergence(g) / a_;
}

/// -ln p / alpha with p the greatest probability of the state: the upper root of
/// p ln(p/q) + (1-p) ln((1-p)/(1-q)) = Omega.
double KnightianMaker::conjugate_at_vertex(Eigen::Index state) {
  const double q = prior_[state];
  if (kind_ == Ambiguity::kNone) {
    return -std::log(q) / a_;
  }
  if (omega_ >= -std::log(q)) {
    return 0.0;
  }
  two_.set_ball(Eigen::Array2d(1.0 - q, q), omega_);
  two_.evaluate(Eigen::Array2d(0.0, 1.0));
  return -std::log1p(-two_.worst_case()[0] / two_.worst_case().sum()) / a_;
}

bool KnightianMaker::curvature(Array& weight, Array& centre) const {
  if (kind_ != Ambiguity::kNone) {
    return false;
  }
  weight = a_ * state_prices_;
  centre = state_prices_;
  return true;
}

bool KnightianMaker::conjugate_derivatives(const ArrayView& g, Array& gradient, Array& diagonal,
                                           Array& rank_one) const {
  if (kind_ == Ambiguity::kBall) {
    return false;
  }
  rank_one.setZero(states());
  if (kind_ == Ambiguity::kSimplex) {
    gradient.setZero(states());
    diagonal.setZero(states());
  } else {
    gradient = ((g / prior_).log() + 1.0) / a_;
    diagonal = 1.0 / (a_ * g);
  }
  return true;
}

}  // namespace kpm
