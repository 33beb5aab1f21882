#include "risk/utility_maker.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/entropy.hpp"
#include "risk/idle_room.hpp"

namespace kpm {

namespace {

constexpr int kIterations = 200;    // monotone from one side: mostly six
constexpr int kRefinements = 4;     // of a cost
constexpr double kExact = 2e-16;    // relative, of a cost
constexpr double kLastStep = 1e-9;  // of a logarithm: what is left is of the order of its square
constexpr double kSpent = 1e-3;     // of the wealth left: the rest has more digits than the whole
constexpr double kLeast = 1e-300;   // wealth below it has a logarithm only

/// ln((t + gap) / scale), t = e^z, where the logarithms of t and of the scale are known even if
/// they are too small for a number.
double log_ratio(double t, double z, double gap, double scale, double log_scale) {
  const double sum = t + gap;
  return sum > kLeast && scale > kLeast ? std::log(sum / scale)
                                        : (gap > 0.0 ? std::log(sum) : z) - log_scale;
}

/// The z with sum prior ln((e^z + gap) / scale) = 0, gap >= 0 and one of them zero. The sum is
/// convex in z with slopes in (0, 1]: Newton's method comes from the right, where the largest scale
/// is.
double solve_log(const Slice& prior, const ArrayView& gap, const Slice& scale,
                 const Slice& log_scale) {
  double z = log_scale.maxCoeff();
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    const double t = std::exp(z);
    double value = 0.0;
    double slope = 0.0;
    for (Eigen::Index i = 0; i < prior.size(); ++i) {
      value += prior[i] * log_ratio(t, z, gap[i], scale[i], log_scale[i]);
      slope += prior[i] * (gap[i] > 0.0 ? t / (t + gap[i]) : 1.0);
    }
    const double step = value / slope;
    z -= step;
    if (!(std::abs(step) > kLastStep)) {
      break;
    }
  }
  return z;
}

}  // namespace

LogUtilityFunction::LogUtilityFunction(const ArrayView& prior, double wealth, Arena& arena)
    : MakerFunction(prior.size(), arena),
      wealth_(wealth),
      below_(arena.array(prior.size())),
      left_(arena.array(prior.size())),
      log_left_(arena.array(prior.size())),
      orders_(arena.array(prior.size())) {
  p_ = prior;
  orders_ = wealth * p_;
}

double LogUtilityFunction::evaluate(const ArrayView& loss) {
  const double worst = loss.maxCoeff();
  below_ = worst - loss;
  left_.setConstant(wealth_);
  log_left_.setConstant(std::log(wealth_));
  const double z = solve_log(p_, below_, left_, log_left_);
  const double t = std::max(std::exp(z), kLeast);
  left_ = t + below_;
  log_left_ = (below_ > 0.0).select(left_.log(), z);
  g_ = p_ / left_;
  g_ /= g_.sum();
  // The last digits in C itself: they are small next to m where m is large. Beside losses that are
  // far larger C has no such digits.
  double cost = t + worst - wealth_;
  const bool rich = wealth_ > kSpent * loss.abs().maxCoeff();
  const int steps = rich && t > kSpent * wealth_ ? kRefinements : 0;
  for (int step = 0; step < steps; ++step) {
    double sum = 0.0;
    double slope = 0.0;
    for (Eigen::Index i = 0; i < g_.size(); ++i) {
      const double ratio = (cost - loss[i]) / wealth_;
      const double slack = (cost - worst) + wealth_ + below_[i];
      // ln(slack / m), without the cancellation next to one
      sum += p_[i] * (std::abs(ratio) < 0.5 ? std::log1p(ratio) : std::log(slack / wealth_));
      slope += p_[i] / slack;
    }
    const double change = sum / slope;
    cost -= change;
    if (std::abs(change) <= kExact * std::abs(cost)) {
      break;
    }
  }
  return cost;
}

void LogUtilityFunction::prepare_curvature() {  // g = W pi / left
  flow_ = g_ / left_;
  centre_ = g_;
}

double LogUtilityFunction::conjugate(const ArrayView& g, const ArrayView& /*p*/) const {
  return -wealth_ * std::expm1(-relative_entropy_of(p_, g));
}

Array LogUtilityFunction::idle_room(const PricedLosses& priced,
                                    const std::vector<int>& idle) const {
  double counting = 1.0;
  for (const int i : idle) {
    counting -= p_[i];
  }
  return bounded_room(priced.loss, idle, [&](int i) {
    return logarithmic_room(wealth_ + priced.cost - priced.loss[i], priced.g[i], counting);
  });
}

UtilityMaker::UtilityMaker(const ArrayView& prior, double wealth)
    : Maker(prior.size()),
      wealth_(wealth),
      function_(prior, wealth, arena_),
      gap_(Array::Zero(prior.size())),
      blocks_(prior, true) {
  set_losses(gap_);
}

double UtilityMaker::set_losses(const ArrayView& losses) {
  has_base_ = false;
  const double cost = function_.evaluate(losses);
  state_prices_ = function_.g();
  return cost;
}

LogarithmicChange& UtilityMaker::blocks() {
  if (!has_base_) {
    blocks_.set_left(function_.left());
    has_base_ = true;
  }
  return blocks_;
}

/// The root of sum pi ln(1 + (D - d) / (m0 + C - L)) = 0.
double UtilityMaker::increment(const ArrayView& change, Array* prices) {
  if (change.minCoeff() == change.maxCoeff()) {
    if (prices != nullptr) {
      *prices = state_prices_;
    }
    return change[0];
  }
  const Slice& prior = function_.prior();
  const Slice& left = function_.left();
  double rise = 0.0;
  double t = 0.0;
  LogarithmicChange& near = blocks();
  near.set_claim(change.data());
  if (near.cost(1.0, rise, t)) {
    if (prices != nullptr) {
      *prices = prior / (left + (rise - change));
      *prices /= prices->sum();
    }
    return rise;
  }
  gap_ = left - change;
  const double least = gap_.minCoeff();
  gap_ -= least;
  const double z = solve_log(prior, gap_, left, function_.log_left());
  t = std::max(std::exp(z), kLeast);
  if (prices != nullptr) {
    *prices = prior / (t + gap_);
    *prices /= prices->sum();
  }
  return t - least;  // as large as the change: nothing to gain
}

}  // namespace kpm
