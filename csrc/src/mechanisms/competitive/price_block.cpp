#include "mechanisms/competitive/price_block.hpp"

#include <algorithm>
#include <cmath>

#include "kpm/kpm.hpp"

namespace kpm {

namespace {

constexpr int kSteps = 100;
constexpr double kFarthest = 3.0;   // in the logarithm of the orders, per step
constexpr double kMoving = 0.1;     // the same: once so little is missing they move with the step
constexpr double kStarted = 1e-10;  // of the prices' sum: where a start needs to be

}  // namespace

PriceBlock::PriceBlock(const ScaledMaker& maker, const MakerFunction& cost, Arena& arena)
    : cost_(cost),
      prior_(maker.prior),
      terms_(cost.price_terms()),
      count_(maker.prior.size()),
      twice_(2.0 * terms_.curvature),
      g_(arena.array(count_)),
      step_g_(arena.array(count_)),
      delta_(arena.array(count_)),
      ddelta_(arena.array(count_)),
      weight_(arena.array(count_)),
      s_(arena.array(count_)),
      dg_(arena.array(count_)),
      ds_(arena.array(count_)),
      target_(arena.array(count_)),
      residuals_(arena.array(count_)),
      flow_(arena.array(count_)),
      root_flow_(arena.array(count_)),
      centre_(arena.array(count_)),
      u_(arena.array(count_)) {
  set_orders();
  weight_ = 0.5 * (maker.prior + 1.0 / static_cast<double>(count_));
}

void PriceBlock::set_orders() {
  if (terms_.orders != nullptr) {
    delta_ = *terms_.orders;
  }
}

void PriceBlock::start(const ArrayView& loss, double tau, const Attempt& /*attempt*/) {
  dg_.setZero();
  ds_.setZero();
  ddelta_.setZero();
  moving_ = false;
  dt_ = 0.0;
  set_orders();
  // The t for which the prices that go with it add up to one: they fall with t.
  target_ = delta_ + tau * weight_;
  double low = -kInfinity;
  double high = -kInfinity;
  for (Eigen::Index i = 0; i < count_; ++i) {
    const double level = loss[i] + twice_ * prior_[i];
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
      const double a = t_ - loss[i] - twice_ * prior_[i];
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

/// The starting orders with which a utility maker would trade as it does at these prices, W pi with
/// W = m exp(-KL(pi|g)). Slacks say the same where products are the orders; before, their products
/// are larger, and orders that shrank with them would end at none at all: a worst-state maker,
/// which is a solution of these equations, too, but not of the problem.
void PriceBlock::find_orders() {
  double log_ratio = 0.0;
  for (Eigen::Index i = 0; i < count_; ++i) {
    log_ratio += prior_[i] * std::log(delta_[i] / (g_[i] * terms_.wealth));
  }
  delta_ *= std::exp(-std::clamp(log_ratio, -kFarthest, kFarthest));
  moving_ = std::abs(log_ratio) <= kMoving;
  if (!moving_) {
    ddelta_.setZero();
  }
  delta_ = delta_.min(*terms_.orders);  // W = m exp(-KL(pi|g))
}

void PriceBlock::update_residuals(const ArrayView& loss) {
  residuals_ = loss - twice_ * (g_ - prior_) + s_ - t_;
  flow_ = 1.0 / (twice_ + s_ / g_);
  root_flow_ = flow_.sqrt();
  total_ = flow_.sum();
  mass_ = 1.0 - g_.sum();
  residual_ = (g_ * residuals_.abs()).sum();
  centre_ = flow_ / total_;
  if (moving_) {
    prepare_curvature();
  }
}

/// A utility maker's starting orders change with the prices: its curvature is centred by g.
void PriceBlock::prepare_curvature() {
  if (terms_.wealth > 0.0) {
    centre_ = prior_ / s_;
    centre_ /= centre_.sum();
  }
}

void PriceBlock::root(const double* payoff, double* root) const {
  double mean = 0.0;
  for (Eigen::Index i = 0; i < count_; ++i) {
    mean += centre_[i] * payoff[i];
  }
  for (Eigen::Index i = 0; i < count_; ++i) {
    root[i] = root_flow_[i] * (payoff[i] - mean);
  }
}

void PriceBlock::set_affine_rhs() { target_ = delta_ - g_ * s_; }

void PriceBlock::set_combined_rhs(double tau, bool /*second_order*/) {
  target_ = delta_ + tau * weight_ - g_ * s_ - dg_ * ds_;
}

void PriceBlock::set_centering_rhs(double tau) { target_ = delta_ + tau * weight_ - g_ * s_; }

void PriceBlock::reduce() {
  u_ = residuals_ + target_ / g_;
  shift_ = (centre_ * u_).sum() - (moving_ ? 0.0 : mass_ / total_);
  step_g_ = flow_ * (u_ - shift_);
  if (moving_) {
    step_g_ += centre_ * (mass_ - step_g_.sum());
  }
}

void PriceBlock::recover_step(const ArrayView& dloss) {
  dt_ = shift_ + (centre_ * dloss).sum();
  dg_ = flow_ * (u_ + dloss - dt_);
  ds_ = (target_ - s_ * dg_) / g_;
  if (moving_) {  // the orders move, all alike: by what leaves the prices' sum at one
    u_ = centre_ * (mass_ - dg_.sum());
    dg_ += u_;
    ddelta_ = s_ * u_;
  }
}

double PriceBlock::complementarity(double along) const {
  return ((g_ + along * dg_) * (s_ + along * ds_) - (delta_ + along * ddelta_)).max(0.0).sum();
}

void PriceBlock::ratio_test(double& inverse_step) const {
  inverse_step = std::max({inverse_step, -(dg_ / g_).minCoeff(), -(ds_ / s_).minCoeff()});
}

void PriceBlock::advance(double step, const ArrayView& /*loss*/) {
  g_ += step * dg_;
  s_ += step * ds_;
  t_ += step * dt_;
  if (terms_.wealth > 0.0) {
    find_orders();
  }
}

double PriceBlock::conjugate() {
  u_ = g_ / g_.sum();
  return cost_.conjugate(u_, u_);
}

}  // namespace kpm
