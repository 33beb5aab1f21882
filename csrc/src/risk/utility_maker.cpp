#include "risk/utility_maker.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/entropy.hpp"

namespace kpm {

namespace {

constexpr int kIterations = 200;
constexpr double kLeast = 1e-300;  // wealth below it has a logarithm only

/// ln((e^z + gap) / scale), where `log_scale` is known even if the scale is too small for a number.
double log_ratio(double z, double gap, double scale, double log_scale) {
  const double sum = std::exp(z) + gap;
  return sum > kLeast && scale > kLeast ? std::log(sum / scale)
                                        : (gap > 0.0 ? std::log(sum) : z) - log_scale;
}

/// The z with sum prior ln((e^z + gap) / scale) = 0, gap >= 0 and one of them zero. The sum is
/// convex in z with slopes in (0, 1]: Newton's method comes from the right, where the largest scale
/// is.
double solve_log(const Array& prior, const Array& gap, const Array& scale, const Array& log_scale) {
  double z = log_scale.maxCoeff();
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    const double t = std::exp(z);
    double value = 0.0;
    double slope = 0.0;
    for (Eigen::Index i = 0; i < prior.size(); ++i) {
      value += prior[i] * log_ratio(z, gap[i], scale[i], log_scale[i]);
      slope += prior[i] * (gap[i] > 0.0 ? t / (t + gap[i]) : 1.0);
    }
    const double next = z - value / slope;
    if (!(z - next > 1e-15 * std::max(1.0, std::abs(z)))) {
      break;
    }
    z = next;
  }
  return z;
}

}  // namespace

UtilityMaker::UtilityMaker(const ArrayView& prior, double wealth)
    : Maker(prior.size()),
      prior_(prior),
      wealth_(wealth),
      left_(Array::Constant(prior.size(), wealth)),
      log_left_(Array::Constant(prior.size(), std::log(wealth))),
      gap_(Array::Zero(prior.size())) {
  set_losses(gap_);
}

double UtilityMaker::set_losses(const ArrayView& losses) {
  const double top = losses.maxCoeff();
  gap_ = top - losses;
  left_.setConstant(wealth_);
  log_left_.setConstant(std::log(wealth_));
  const double z = solve_log(prior_, gap_, left_, log_left_);
  const double t = std::max(std::exp(z), kLeast);
  left_ = t + gap_;
  log_left_ = (gap_ > 0.0).select(left_.log(), z);
  state_prices_ = prior_ / left_;
  state_prices_ /= state_prices_.sum();
  return top + (t - wealth_);
}

/// The root of sum pi ln(1 + (D - d) / (m0 + C - L)) = 0, which has the digits of the change.
double UtilityMaker::increment(const ArrayView& change, Array* prices) {
  const double low = change.minCoeff();
  const double high = change.maxCoeff();
  if (low == high) {
    if (prices != nullptr) {
      *prices = state_prices_;
    }
    return low;
  }
  double rise = (state_prices_ * change).sum();
  if (!(high - low < 0.5 * left_.minCoeff())) {
    gap_ = left_ - change;
    const double least = gap_.minCoeff();
    gap_ -= least;
    const double t = std::max(std::exp(solve_log(prior_, gap_, left_, log_left_)), kLeast);
    if (prices != nullptr) {
      *prices = prior_ / (t + gap_);
      *prices /= prices->sum();
    }
    return t - least;  // as large as the change: nothing to gain
  }
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    double value = 0.0;
    double slope = 0.0;
    for (Eigen::Index i = 0; i < states(); ++i) {
      const double moved = rise - change[i];
      value += prior_[i] * std::log1p(moved / left_[i]);
      slope += prior_[i] / (left_[i] + moved);
    }
    const double step = value / slope;
    rise -= step;
    if (!(std::abs(step) > 1e-9 * (high - low))) {  // the error left is of the order of its square
      break;
    }
  }
  if (prices != nullptr) {
    *prices = prior_ / (left_ + (rise - change));
    *prices /= prices->sum();
  }
  return rise;
}

double UtilityMaker::conjugate(const ArrayView& g) {
  return -wealth_ * std::expm1(-relative_entropy_of(prior_, g));
}

double UtilityMaker::conjugate_at_vertex(Eigen::Index /*state*/) {
  return states() == 1 ? 0.0 : wealth_;
}

}  // namespace kpm
