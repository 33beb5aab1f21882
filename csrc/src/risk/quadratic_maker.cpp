#include "risk/quadratic_maker.hpp"

#include <algorithm>

#include "numerics/state_sums.hpp"

namespace kpm {

namespace {

/// The level with sum max(floor_i, scale (x_i - level)) = 0, which must exist: convex and falling
/// in the level, so that Newton's method from the left needs at most one step per state. It ends
/// with the exact sum over the states above their floor, not with an update.
double water_level(const ArrayView& floor, const ArrayView& x, double scale) {
  double level = x.sum() / static_cast<double>(x.size());
  for (Eigen::Index step = 0; step <= x.size(); ++step) {
    const WaterSums sums = state_sums().water(level, scale, floor.data(), x.data(), x.size());
    if (sums.count == 0.0) {
      break;
    }
    const double next = (sums.above + sums.floors / scale) / sums.count;
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
      idle_(arena.array(prior.size())),
      floor_(arena.array(prior.size())) {
  p_ = prior;
  floor_ = -p_;
}

double QuadraticFunction::evaluate(const ArrayView& loss) {
  const double top = loss.maxCoeff();
  const double scale = 0.5 / c_;
  below_ = loss - top;
  // g = pi + e with e = max(-pi, (L - level) / 2c): the changes add up to zero.
  const double level = water_level(floor_, below_, scale);
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

/// Of priced states L - 2c (g - pi) is one level, to which others may rise.
Array QuadraticFunction::idle_room(const PricedLosses& priced, const std::vector<int>& idle) const {
  const Array level = priced.loss + 2.0 * c_ * (p_ - priced.g);
  return (level.maxCoeff() - level(idle)).max(0.0);
}

QuadraticMaker::QuadraticMaker(const ArrayView& prior, double curvature)
    : Maker(prior.size()),
      function_(prior, curvature, arena_),
      c_(curvature),
      moved_(Array::Zero(prior.size())),
      e_(moved_),
      floor_(moved_) {
  set_losses(moved_);
}

double QuadraticMaker::set_losses(const ArrayView& losses) {
  const double cost = function_.evaluate(losses);
  state_prices_ = function_.g();
  floor_ = -state_prices_;
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
  const double level = water_level(floor_, moved_, scale);
  e_ = (scale * (moved_ - level)).max(floor_);
  if (prices != nullptr) {
    *prices = state_prices_ + e_;
  }
  return (state_prices_ * change + e_ * (moved_ - c_ * e_)).sum();
}

double QuadraticMaker::conjugate_at_vertex(Eigen::Index state) {
  const Slice& prior = function_.prior();
  const double others = prior.square().sum() - prior[state] * prior[state];
  return c_ * (others + (1.0 - prior[state]) * (1.0 - prior[state]));
}

}  // namespace kpm
