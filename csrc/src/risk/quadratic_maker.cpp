#include "risk/quadratic_maker.hpp"

#include <cmath>

namespace kpm {

namespace {

/// The level with sum max(floor_i, scale (x_i - level)) = total, which must exist: convex and
/// falling in the level, so that Newton's method from the left needs at most one step per state. It
/// ends with the exact sum over the states above their floor, not with an update.
template <class Floor, class Values>
double water_level(const Floor& floor, const Values& x, double scale, double total) {
  double level = (x.sum() - total / scale) / static_cast<double>(x.size());
  for (Eigen::Index step = 0; step <= x.size(); ++step) {
    double sum = 0.0;
    double fixed = 0.0;
    Eigen::Index free = 0;
    for (Eigen::Index i = 0; i < x.size(); ++i) {
      if (scale * (x[i] - level) > floor[i]) {
        sum += x[i];
        ++free;
      } else {
        fixed += floor[i];
      }
    }
    if (free == 0) {
      break;
    }
    const double next = (sum - (total - fixed) / scale) / static_cast<double>(free);
    if (!(next > level)) {
      break;
    }
    level = next;
  }
  return level;
}

}  // namespace

QuadraticMaker::QuadraticMaker(const ArrayView& prior, double curvature)
    : Maker(prior.size()),
      prior_(prior),
      c_(curvature),
      idle_(Array::Zero(prior.size())),
      moved_(Array::Zero(prior.size())) {
  set_losses(moved_);
}

double QuadraticMaker::set_losses(const ArrayView& losses) {
  const double top = losses.maxCoeff();
  const double scale = 0.5 / c_;
  moved_ = losses - top;
  // g = pi + e with e = max(-pi, (L - level) / 2c): the changes add up to zero.
  const double level = water_level(-prior_, moved_, scale, 0.0);
  double value = 0.0;
  for (Eigen::Index i = 0; i < states(); ++i) {
    const double change = std::max(-prior_[i], scale * (moved_[i] - level));
    state_prices_[i] = prior_[i] + change;
    idle_[i] = change == -prior_[i] ? level - 2.0 * c_ * prior_[i] - moved_[i] : 0.0;
    value += state_prices_[i] * moved_[i] - c_ * change * change;
  }
  return top + value;
}

/// With e the change of g, which adds up to zero,
///   C(L + d) - C(L) = g.d + e.d - c |e|^2 - sum e s,   s what idle states lack.
double QuadraticMaker::increment(const ArrayView& change, Array* prices) {
  const double scale = 0.5 / c_;
  // Relative to the largest, from which the level differs by no more than 2c.
  moved_ = change - idle_;
  const double top = moved_.maxCoeff();
  moved_ -= top;
  const double level = water_level(-state_prices_, moved_, scale, 0.0);
  double value = 0.0;
  for (Eigen::Index i = 0; i < states(); ++i) {
    const double e = std::max(-state_prices_[i], scale * (moved_[i] - level));
    value += state_prices_[i] * change[i] + e * moved_[i] - c_ * e * e;
    moved_[i] = e;
  }
  if (prices != nullptr) {
    *prices = state_prices_ + moved_;
  }
  return value;
}

double QuadraticMaker::conjugate(const ArrayView& g) { return c_ * (g - prior_).square().sum(); }

double QuadraticMaker::conjugate_at_vertex(Eigen::Index state) {
  const double others = prior_.square().sum() - prior_[state] * prior_[state];
  return c_ * (others + (1.0 - prior_[state]) * (1.0 - prior_[state]));
}

}  // namespace kpm
