#include "risk/utility_maker.hpp"

#include <cmath>

#include "numerics/entropy.hpp"

namespace kpm {

namespace {

constexpr int kIterations = 200;

/// t > 0 with sum prior ln((t + gap) / scale) = 0, gap >= 0 and one of them zero. In z = ln t the
/// sum is convex with slopes in (0, 1]: Newton's method comes from the right from its second step
/// on.
template <class Scale>
double solve_log(const Array& prior, const Array& gap, const Scale& scale, double t) {
  double z = std::log(t);
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    t = std::exp(z);
    const double value = (prior * ((t + gap) / scale).log()).sum();
    const double slope = (prior * (t / (t + gap))).sum();
    const double next = z - value / slope;
    if (!(std::abs(next - z) > 1e-12 * std::max(1.0, std::abs(z)))) {
      return std::exp(next);
    }
    z = next;
  }
  return t;
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
  double rise = (state_prices_ * change).sum();
  if (!(high - low < 0.5 * left_.minCoeff())) {
    gap_ = left_ - change;
    const double least = gap_.minCoeff();
    gap_ -= least;
    rise = solve_log(prior_, gap_, left_, left_.minCoeff()) - least;
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
    if (!(std::abs(step) > 1e-9 * (high - low))) {  // what is left is the square of this
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

bool UtilityMaker::curvature(Array& weight, Array& centre) const {
  weight = prior_ / left_.square() / (prior_ / left_).sum();
  centre = state_prices_;
  return true;
}

bool UtilityMaker::conjugate_derivatives(const ArrayView& g, Array& gradient, Array& diagonal,
                                         Array& rank_one) const {
  const double value = wealth_ * std::exp(-relative_entropy_of(prior_, g));
  gradient = -value * prior_ / g;
  diagonal = value * prior_ / g.square();
  rank_one = std::sqrt(value) * prior_ / g;
  return true;
}

}  // namespace kpm
