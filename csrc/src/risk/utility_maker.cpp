#include "risk/utility_maker.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/entropy.hpp"

namespace kpm {

namespace {

constexpr int kIterations = 200;
constexpr double kLeastLog = -690.0;  // wealth of 1e-300 counts as none

/// t > 0 with sum prior ln((t + gap) / scale) = 0, gap >= 0 and one of them zero. In z = ln t the
/// sum is convex with slopes in (0, 1]: Newton's method comes from the right, where the largest
/// scale is.
template <class Scale>
double solve_log(const Array& prior, const Array& gap, const Scale& scale, double largest) {
  double z = std::log(largest);
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    const double t = std::exp(z);
    const double value = (prior * ((t + gap) / scale).log()).sum();
    const double slope = (prior * (t / (t + gap))).sum();
    const double next = std::max(z - value / slope, kLeastLog);
    if (!(z - next > 1e-15 * std::max(1.0, std::abs(z)))) {
      break;
    }
    z = next;
  }
  return std::exp(z);
}

}  // namespace

UtilityMaker::UtilityMaker(const ArrayView& prior, double wealth)
    : Maker(prior.size()),
      prior_(prior),
      wealth_(wealth),
      left_(Array::Constant(prior.size(), wealth)),
      gap_(Array::Zero(prior.size())) {
  set_losses(gap_);
}

double UtilityMaker::set_losses(const ArrayView& losses) {
  const double top = losses.maxCoeff();
  gap_ = top - losses;
  const double t = solve_log(prior_, gap_, wealth_, wealth_);
  left_ = t + gap_;
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
    const double t = solve_log(prior_, gap_, left_, left_.maxCoeff());
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
