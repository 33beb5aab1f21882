#include "mechanisms/competitive/polytope_block.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/entropy.hpp"

namespace kpm {

namespace {

constexpr double kSoftening = 1.0;  // 1/a grows by this times the products
constexpr double kKept = 0.1;       // a slack keeps this share of what the linear step left it

}  // namespace

PolytopeBlock::PolytopeBlock(const ScaledMaker& maker, Arena& arena)
    : maker_(maker),
      count_(maker.priors.cols()),
      vertices_(maker.priors.rows()),
      g_(arena.array(count_)),
      step_g_(arena.array(count_)),
      cost_(arena.array(vertices_)),
      v_(arena.array(vertices_)),
      z_(arena.array(vertices_)),
      dv_(arena.array(vertices_)),
      dz_(arena.array(vertices_)),
      target_(arena.array(vertices_)),
      rz_(arena.array(vertices_)),
      u_(arena.array(vertices_)),
      pull_(arena.array(vertices_)),
      gradient_(arena.matrix(vertices_, count_)),
      mean_(arena.array(count_)) {}

/// Costs and gradients of the vertices for a risk aversion that fits products of about tau.
void PolytopeBlock::evaluate(const ArrayView& loss, double tau) {
  a_ = maker_.risk_aversion / (1.0 + maker_.risk_aversion * kSoftening * tau);
  for (Eigen::Index v = 0; v < vertices_; ++v) {
    double* const row = &gradient_(v, 0);
    cost_[v] = certainty_equivalent(maker_, static_cast<int>(v), a_, loss, row);
  }
  g_ = (gradient_.transpose() * v_.matrix()).array();
}

void PolytopeBlock::start(const ArrayView& loss, double tau, double /*entropy_share*/) {
  v_.setConstant(1.0 / static_cast<double>(vertices_));
  dv_.setZero();
  dz_.setZero();
  evaluate(loss, tau);
  const double worst = cost_.maxCoeff();
  t_ = worst + tau / static_cast<double>(vertices_);
  for (int step = 0; step < 100; ++step) {  // the t at which tau / z add up to one
    const Array weight = tau / static_cast<double>(vertices_) / (t_ - cost_);
    const double sum = weight.sum();
    if (std::abs(sum - 1.0) <= 1e-10) {
      break;
    }
    t_ += (sum - 1.0) * sum / (weight / (t_ - cost_)).sum();
  }
  z_ = t_ - cost_;
  v_ = tau / static_cast<double>(vertices_) / z_;
  g_ = (gradient_.transpose() * v_.matrix()).array();
}

void PolytopeBlock::update_residuals(const ArrayView& /*loss*/) {
  rz_ = z_ - (t_ - cost_);
  pull_ = v_ / z_;
  total_ = pull_.sum();
  mean_ = (gradient_.transpose() * pull_.matrix()).array() / total_;
  mass_ = 1.0 - v_.sum();
  residual_ = (v_ * rz_.abs()).sum();
}

void PolytopeBlock::root(const double* payoff, double* root) const {
  double mean = 0.0;
  for (Eigen::Index i = 0; i < count_; ++i) {
    mean += mean_[i] * payoff[i];
  }
  for (Eigen::Index v = 0; v < vertices_; ++v) {
    double value = 0.0;
    for (Eigen::Index i = 0; i < count_; ++i) {
      value += gradient_(v, i) * payoff[i];
    }
    for (Eigen::Index i = 0; i < count_; ++i) {
      root[v * count_ + i] =
          std::sqrt(std::max(a_ * v_[v] * gradient_(v, i), 0.0)) * (payoff[i] - value);
    }
    root[vertices_ * count_ + v] = std::sqrt(pull_[v]) * (value - mean);
  }
}

void PolytopeBlock::set_affine_rhs() { target_ = -v_ * z_; }

void PolytopeBlock::set_combined_rhs(double tau, bool /*second_order*/) {
  target_ = tau / static_cast<double>(vertices_) - v_ * z_ - dv_ * dz_;
}

void PolytopeBlock::set_centering_rhs(double tau) {
  target_ = tau / static_cast<double>(vertices_) - v_ * z_;
}

// dz = dt - g_v.dL - rz,  dv = target / z - pull dz,  sum dv = mass.
void PolytopeBlock::reduce() {
  u_ = target_ / z_ + pull_ * rz_;
  shift_ = (u_.sum() - mass_) / total_;
  step_g_ = (gradient_.transpose() * (u_ - pull_ * shift_).matrix()).array();
}

void PolytopeBlock::recover_step(const ArrayView& dloss) {
  const Array change = (gradient_ * dloss.matrix()).array();
  dt_ = shift_ + (pull_ * change).sum() / total_;
  dz_ = dt_ - change - rz_;
  dv_ = target_ / z_ - pull_ * dz_;
}

double PolytopeBlock::complementarity(double along) const {
  return ((v_ + along * dv_) * (z_ + along * dz_)).sum();
}

void PolytopeBlock::ratio_test(double& steepest) const {
  steepest = std::max({steepest, -(dv_ / v_).minCoeff(), -(dz_ / z_).minCoeff()});
}

void PolytopeBlock::advance(double step, const ArrayView& loss) {
  v_ += step * dv_;
  z_ += step * dz_;
  t_ += step * dt_;
  evaluate(loss, (v_ * z_).sum());
  // Costs are convex, so slacks are less than the linear step says; those that can be exact are.
  z_ = (t_ - cost_).max(kKept * z_);
}

/// The mixture of the vertices that g is tilted from: g_v = p_v e^{a (L - C_v)}.
Array PolytopeBlock::worst_case() const {
  Array weight = v_ * (-a_ * (cost_ - cost_.maxCoeff())).exp();
  weight /= weight.sum();
  Array p = (maker_.priors.transpose() * weight.matrix()).array();
  p /= p.sum();
  return p;
}

double PolytopeBlock::conjugate() const {
  return maker_.risk_aversion > 0.0
             ? relative_entropy_of(g_ / g_.sum(), worst_case()) / maker_.risk_aversion
             : 0.0;
}

}  // namespace kpm
