#include "risk/quadratic_maker.hpp"

#include <algorithm>

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

QuadraticFunction::QuadraticFunction(const ArrayView& prior, double curvature, Arena& arena)
    : MakerFunction(prior.size(), arena),
      c_(curvature),
      below_(arena.array(prior.size())),
      idle_(arena.array(prior.size())) {
  p_ = prior;
}

double QuadraticFunction::evaluate(const ArrayView& loss) {
  const double top = loss.maxCoeff();
  const double scale = 0.5 / c_;
  below_ = loss - top;
  // g = pi + e with e = max(-pi, (L - level) / 2c): the changes add up to zero.
  const double level = water_level(-p_, below_, scale, 0.0);
  double value = 0.0;
  for (Eigen::Index i = 0; i < g_.size(); ++i) {
    const double change = std::max(-p_[i], scale * (below_[i] - level));
    g_[i] = p_[i] + change;
    idle_[i] = change == -p_[i] ? level - 2.0 * c_ * p_[i] - below_[i] : 0.0;
    value += g_[i] * below_[i] - c_ * change * change;
  }
  g_ /= g_.sum();  // where c is next to nothing the changes are rounding of losses
  return top + value;
}

void QuadraticFunction::prepare_curvature() {
  flow_ = (g_ > 0.0).select(Array::Constant(g_.size(), 0.5 / c_), 0.0);
  centre_ = flow_ / flow_.sum();
}

double QuadraticFunction::conjugate(const ArrayView& g, const ArrayView& /*p*/) const {
  return c_ * (g - p_).square().sum();
}

QuadraticMaker::QuadraticMaker(const ArrayView& prior, double curvature)
    : Maker(prior.size()),
      function_(prior, curvature, arena_),
      c_(curvature),
      moved_(Array::Zero(prior.size())) {
  set_losses(moved_);
}

double QuadraticMaker::set_losses(const ArrayView& losses) {
  const double cost = function_.evaluate(losses);
  state_prices_ = function_.g();
  return cost;
}

/// With e the change of g, which adds up to zero,
///   C(L + d) - C(L) = g.d + e.d - c |e|^2 - sum e s,   s what idle states lack.
double QuadraticMaker::increment(const ArrayView& change, Array* prices) {
  const double scale = 0.5 / c_;
  // Relative to the largest, from which the level differs by no more than 2c.
  moved_ = change - function_.idle();
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

double QuadraticMaker::conjugate_at_vertex(Eigen::Index state) {
  const Slice& prior = function_.prior();
  const double others = prior.square().sum() - prior[state] * prior[state];
  return c_ * (others + (1.0 - prior[state]) * (1.0 - prior[state]));
}

}  // namespace kpm
