#include "mechanisms/competitive/price_block.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/entropy.hpp"

namespace kpm {

namespace {

constexpr int kSteps = 100;
constexpr double kStarted = 1e-10;  // of the prices' sum: where a start needs to be

}  // namespace

PriceBlock::PriceBlock(const ScaledMaker& maker, Arena& arena)
    : maker_(maker),
      count_(maker.prior.size()),
      utility_(maker.kind == MakerKind::kUtility),
      twice_(maker.kind == MakerKind::kQuadratic ? 2.0 * maker.curvature : 0.0),
      g_(arena.array(count_)),
      step_g_(arena.array(count_)),
      delta_(arena.array(count_)),
      weight_(arena.array(count_)),
      s_(arena.array(count_)),
      dg_(arena.array(count_)),
      ds_(arena.array(count_)),
      target_(arena.array(count_)),
      residuals_(arena.array(count_)),
      flow_(arena.array(count_)),
      centre_(arena.array(count_)),
      u_(arena.array(count_)) {
  if (maker.kind == MakerKind::kStartingOrders) {
    delta_ = maker.total * maker.prior;
  }
  if (!utility_) {
    weight_ = 0.5 * (maker.prior + 1.0 / static_cast<double>(count_));
  }
}

void PriceBlock::start(const ArrayView& loss, double tau, double /*entropy_share*/) {
  dg_.setZero();
  ds_.setZero();
  dt_ = dw_ = w_ = 0.0;
  if (utility_) {
    start_utility(loss, maker_.wealth + tau);
    return;
  }
  // The t for which the prices that go with it add up to one: they fall with t.
  target_ = delta_ + tau * weight_;
  double low = -kInfinity;
  double high = -kInfinity;
  for (Eigen::Index i = 0; i < count_; ++i) {
    const double level = loss[i] + twice_ * maker_.prior[i];
    low = std::max(low, level - twice_ + target_[i]);
    high = std::max(high, level);
  }
  high += target_.sum();
  t_ = low;
  for (int step = 0; step < kSteps; ++step) {
    double sum = 0.0;
    double slope = 0.0;
    for (Eigen::Index i = 0; i < count_; ++i) {
      // 2c g^2 + A g = target with A = t - L - 2c pi.
      const double a = t_ - loss[i] - twice_ * maker_.prior[i];
      const double root = std::sqrt(a * a + 4.0 * twice_ * target_[i]);
      g_[i] = a > 0.0 ? 2.0 * target_[i] / (a + root) : (root - a) / (2.0 * twice_);
      s_[i] = target_[i] / g_[i];
      sum += g_[i];
      slope += g_[i] / root;
    }
    if (std::abs(sum - 1.0) <= kStarted) {
      break;
    }
    (sum > 1.0 ? low : high) = t_;
    const double newton = t_ + (sum - 1.0) * sum / slope;
    t_ = newton > low && newton < high ? newton : 0.5 * (low + high);
  }
}

/// Where the root C is for a maker of that wealth.
void PriceBlock::start_utility(const ArrayView& loss, double wealth) {
  const double worst = loss.maxCoeff();
  double u = wealth;  // t - max L
  for (int step = 0; step < kSteps; ++step) {
    double sum = 0.0;
    double slope = 0.0;
    for (Eigen::Index i = 0; i < count_; ++i) {
      s_[i] = u + (worst - loss[i]);
      sum += maker_.prior[i] * std::log(s_[i] / wealth);
      slope += maker_.prior[i] * (u / s_[i]);
    }
    const double change = sum / slope;  // of ln u, from above
    if (std::abs(change) <= kStarted) {
      break;
    }
    u *= std::exp(-change);
  }
  t_ = worst + u;
  w_ = 1.0 / (maker_.prior / s_).sum();
  g_ = w_ * maker_.prior / s_;
}

void PriceBlock::update_residuals(const ArrayView& loss) {
  residuals_ = loss - twice_ * (g_ - maker_.prior) + s_ - t_;
  flow_ = 1.0 / (twice_ + s_ / g_);
  total_ = flow_.sum();
  mass_ = 1.0 - g_.sum();
  residual_ = (g_ * residuals_.abs()).sum();
  if (utility_) {
    centre_ = maker_.prior / s_;
    by_w_ = centre_.sum();
    centre_ /= by_w_;
    residual_ += (g_ * s_ - w_ * maker_.prior).abs().sum();
  } else {
    centre_ = flow_ / total_;
  }
}

void PriceBlock::root(const double* payoff, double* root) const {
  double mean = 0.0;
  for (Eigen::Index i = 0; i < count_; ++i) {
    mean += centre_[i] * payoff[i];
  }
  for (Eigen::Index i = 0; i < count_; ++i) {
    root[i] = std::sqrt(flow_[i]) * (payoff[i] - mean);
  }
}

void PriceBlock::set_affine_rhs() {
  tau_ = 0.0;
  target_ = delta_ + (utility_ ? w_ : 0.0) * maker_.prior - g_ * s_;
}

void PriceBlock::set_combined_rhs(double tau, bool second_order) {
  tau_ = tau;
  target_ = delta_ + tau * weight_ - g_ * s_;
  if (utility_) {
    target_ += w_ * maker_.prior;
  }
  if (second_order || !utility_) {
    target_ -= dg_ * ds_;
  }
}

void PriceBlock::set_centering_rhs(double tau) {
  tau_ = tau;
  target_ = delta_ + tau * weight_ - g_ * s_;
  if (utility_) {
    target_ += w_ * maker_.prior;
  }
}

void PriceBlock::reduce() {
  u_ = residuals_ + target_ / g_;
  if (!utility_) {
    shift_ = (centre_ * u_).sum() - mass_ / total_;
    step_g_ = flow_ * (u_ - shift_);
    return;
  }
  double off = 0.0;  // ln m - sum pi ln s
  for (Eigen::Index i = 0; i < count_; ++i) {
    off -= maker_.prior[i] * std::log(s_[i] / (maker_.wealth + tau_));
  }
  shift_ = off / by_w_ + (centre_ * residuals_).sum();
  step_g_ = flow_ * (u_ - shift_);
  step_g_ += centre_ * (mass_ - step_g_.sum());
}

void PriceBlock::recover_step(const ArrayView& dloss) {
  dt_ = shift_ + (centre_ * dloss).sum();
  dg_ = flow_ * (u_ + dloss - dt_);
  dw_ = 0.0;
  if (utility_) {
    const double missing = mass_ - dg_.sum();
    dw_ = missing / by_w_;
    dg_ += centre_ * missing;
  }
  ds_ = (target_ + dw_ * maker_.prior - s_ * dg_) / g_;
}

double PriceBlock::complementarity(double along) const {
  if (utility_) {
    return 0.0;
  }
  return ((g_ + along * dg_) * (s_ + along * ds_) - delta_).max(0.0).sum();
}

void PriceBlock::ratio_test(double& steepest) const {
  steepest = std::max({steepest, -(dg_ / g_).minCoeff(), -(ds_ / s_).minCoeff()});
}

void PriceBlock::advance(double step, const ArrayView& /*loss*/) {
  g_ += step * dg_;
  s_ += step * ds_;
  t_ += step * dt_;
  w_ += step * dw_;
}

double PriceBlock::conjugate() const {
  const Array g = g_ / g_.sum();
  switch (maker_.kind) {
    case MakerKind::kStartingOrders:
      return maker_.total * relative_entropy_of(maker_.prior, g);
    case MakerKind::kUtility:
      return -maker_.wealth * std::expm1(-relative_entropy_of(maker_.prior, g));
    case MakerKind::kQuadratic:
      return maker_.curvature * (g - maker_.prior).square().sum();
    default:
      return 0.0;
  }
}

}  // namespace kpm
