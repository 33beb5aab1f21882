#include "risk/logarithmic_change.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/state_sums.hpp"

namespace kpm {

namespace {

// Of what is left: between these changes logarithms are series.
constexpr double kLargestFall = 0.4;
constexpr double kLargestRise = 0.6;
constexpr double kSmallest = 1e-9;  // a smaller block's first t is exact, and its slope rounding
constexpr double kLost = 1e-17;     // of a block: an error that changes nothing
constexpr int kPasses = 4;

}  // namespace

LogarithmicChange::LogarithmicChange(const ArrayView& weights, bool root)
    : states_(weights.size()),
      root_(root),
      w_(Array::Zero(StateSums::padded(states_))),
      left_(Array::Ones(w_.size())),
      claim_(Array::Zero(w_.size())),
      mean_(Array::Zero(w_.size())),
      flow_(Array::Zero(w_.size())) {
  w_.head(states_) = weights;
}

void LogarithmicChange::set_left(const ArrayView& left) {
  left_.head(states_) = left;
  least_left_ = left.minCoeff();
  left_.tail(left_.size() - states_).setConstant(least_left_);
  mean_ = w_ / left_;
  if (!root_) {
    mean_ /= left_;
  }
  mean_ /= mean_.sum();
  flow_ = mean_ / left_;
}

/// t = m + e with m the first order in the block d; c = d - m are deviations, and e follows from
///   e = k2 E (e - c)^2 / r - k3 E (e - c)^3 / r^2.
void LogarithmicChange::set_claim(const double* payoff) {
  const Eigen::Map<const Array> claim(payoff, states_);
  low_ = claim.minCoeff();
  claim_.head(states_) = claim - low_;
  range_ = claim_.maxCoeff();
  first_ = dot(mean_.data(), claim_.data(), claim_.size());
  const ThirdMoments moments =
      state_sums().moments(first_, flow_.data(), left_.data(), claim_.data(), claim_.size());
  const double k2 = root_ ? 0.5 : 1.0;
  const double k3 = root_ ? 1.0 / 3.0 : 1.0;
  second_ = k2 * moments.second;
  third_ = k3 * moments.third - 2.0 * k2 * second_ * moments.first;
}

bool LogarithmicChange::cost(double shares, double& cost, double& t) const {
  const double block = std::abs(shares) * range_;
  t = shares * (first_ + shares * (second_ + shares * third_));
  for (int pass = 0; pass < kPasses; ++pass) {
    const double other = t - shares * range_;
    if (!(std::min(t, other) >= -kLargestFall * least_left_ &&
          std::max(t, other) <= kLargestRise * least_left_)) {
      return false;
    }
    const LogarithmSums at =
        state_sums().logarithms(t, shares, w_.data(), left_.data(), claim_.data(), claim_.size());
    double step = 0.0;
    if (root_) {
      const double newton = at.value / at.first;
      const double a = -0.5 * at.second / at.first;
      const double b = at.third / (3.0 * at.first);
      step = -newton * (1.0 + newton * (a + newton * (2.0 * a * a - b)));
      cost = t + step;
    } else {
      const double slope = block > kSmallest * least_left_ ? 1.0 - at.first : 0.0;
      const double newton = slope / at.second;
      step = -newton * (1.0 - newton * at.third / at.second);
      cost = (t - at.value) + step * (slope + step * (0.5 * at.second - step * at.third / 3.0));
    }
    t += step;
    const double part = step / least_left_;
    if (part * part * part * step <= kLost * block) {
      cost += shares * low_;
      t += shares * low_;
      return true;
    }
  }
  return false;
}

bool LogarithmicChange::costs(const double* payoff, const double* shares, Eigen::Index sizes,
                              double* down, double* up) {
  set_claim(payoff);
  double t = 0.0;
  for (Eigen::Index size = 0; size < sizes; ++size) {
    if (!cost(shares[size], up[size], t) || !cost(-shares[size], down[size], t)) {
      return false;
    }
    down[size] = -down[size];
  }
  return true;
}

}  // namespace kpm
