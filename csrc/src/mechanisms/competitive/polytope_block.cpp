#include "mechanisms/competitive/polytope_block.hpp"

#include <algorithm>
#include <cmath>

#include "ipm/residual.hpp"
#include "numerics/entropy.hpp"
#include "numerics/inner_products.hpp"
#include "numerics/product_log.hpp"
#include "numerics/products.hpp"

namespace kpm {

namespace {

constexpr int kBacktracks = 8;
/// Again, states share so much of the products evenly, whatever their priors: the slack of a rare
/// one would be gone long before its price has risen by all the powers of ten that it may rise by.
constexpr double kRare = 0.1;

}  // namespace

PolytopeBlock::PolytopeBlock(const ScaledMaker& maker, const MakerFunction& cost, Arena& arena)
    : maker_(maker),
      cost_(cost),
      priors_(maker.priors),
      count_(maker.priors.cols()),
      vertices_(maker.priors.rows()),
      a_(maker.risk_aversion),
      g_(arena.array(count_)),
      step_g_(arena.array(count_)),
      weight_(arena.array(count_)),
      p_(arena.array(count_)),
      gamma_(arena.array(count_)),
      phi_(arena.array(count_)),
      e_(arena.array(count_)),
      t_(arena.array(count_)),
      r1_(arena.array(count_)),
      gp_(arena.array(count_)),
      s_(arena.array(count_)),
      k1_(arena.array(count_)),
      target_t_(arena.array(count_)),
      dp_(arena.array(count_)),
      eps_(arena.array(count_)),
      dt_(arena.array(count_)),
      dloss_(arena.array(count_)),
      eta_(arena.array(count_)),
      reach_(arena.array(count_)),
      root_s_(arena.array(count_)),
      v_(arena.array(vertices_)),
      z_(arena.array(vertices_)),
      dv_(arena.array(vertices_)),
      dz_(arena.array(vertices_)),
      target_v_(arena.array(vertices_)),
      r2_(arena.array(vertices_)),
      f_(arena.array(vertices_)),
      h_(arena.array(vertices_)),
      by_f_(arena.array(vertices_)),
      by_one_(arena.array(vertices_)),
      moved_(arena.array(vertices_)),
      inverse_(arena.array(vertices_)),
      scaled_(arena.matrix(vertices_, count_)),
      system_(arena.matrix(vertices_, vertices_)) {
  weight_ = maker.prior;
}

void PolytopeBlock::refresh() {
  multiply_transposed(priors_, v_, p_);
  g_ = p_ * gamma_;
}

void PolytopeBlock::start(const ArrayView& loss, double tau, const Attempt& attempt) {
  v_.setConstant(1.0 / static_cast<double>(vertices_));
  dv_.setZero();
  dz_.setZero();
  dt_.setZero();
  eps_.setZero();
  dp_.setZero();
  dc_ = dkappa_ = 0.0;
  p_ = maker_.prior;
  const double evenly = attempt.again && a_ > 0.0 ? kRare : 0.0;
  weight_ = (1.0 - evenly) * p_ + evenly / static_cast<double>(count_);
  for (int pass = attempt.again && attempt.entropy_share < kRare ? 0 : 1; pass < 2; ++pass) {
    centre(loss, tau);
  }
}

/// For the mixture at hand, of which the weights then make another.
void PolytopeBlock::centre(const ArrayView& loss, double tau) {
  double worst = -kInfinity;
  for (Eigen::Index i = 0; i < count_; ++i) {
    worst = p_[i] > 0.0 ? std::max(worst, loss[i]) : worst;
  }
  double mean = 0.0;
  double utility = 0.0;
  for (Eigen::Index i = 0; i < count_; ++i) {
    if (p_[i] > 0.0) {
      const Power power = power_of(a_ * (loss[i] - worst));
      mean += p_[i] * (a_ > 0.0 ? power.excess / a_ : loss[i] - worst);
      utility += p_[i] * power.value;
    }
  }
  c_ = worst + (utility > 0.5 ? scaled_log1p(a_, mean) : std::log(utility) / a_);
  // t g = tau w with e = L - c + t, then shifted so that the prices add up to one.
  double excess = 0.0;
  for (Eigen::Index i = 0; i < count_; ++i) {
    if (p_[i] == 0.0) {
      t_[i] = tau;
      e_[i] = 0.0;
      continue;
    }
    const double surplus = loss[i] - c_;
    if (a_ > 0.0) {  // the exponent from the product: a surplus and t would cancel
      const double product = std::log(a_ * tau * (weight_[i] / p_[i]));
      const double slack = product_log(product - a_ * surplus);
      t_[i] = slack / a_;
      e_[i] = (product - std::log(slack)) / a_;
    } else {
      t_[i] = tau;
      e_[i] = surplus + tau;
    }
    excess += p_[i] * scaled_expm1(a_, e_[i]);
  }
  const double shift = scaled_log1p(a_, excess);
  c_ += shift;
  for (Eigen::Index i = 0; i < count_; ++i) {
    e_[i] -= p_[i] > 0.0 ? shift : 0.0;
    const Power power = power_of(a_ * e_[i]);
    gamma_[i] = power.value;
    phi_[i] = a_ > 0.0 ? power.excess / a_ : e_[i];
  }
  refresh();
  // The kappa at which tau / V over the slacks add up to one.
  const Array reach = (priors_ * phi_.matrix()).array();
  const double product = tau / static_cast<double>(vertices_);
  kappa_ = reach.maxCoeff() + product;
  for (int step = 0; step < 100; ++step) {
    const Array weight = product / (kappa_ - reach);
    const double sum = weight.sum();
    if (std::abs(sum - 1.0) <= 1e-10) {
      break;
    }
    kappa_ += (sum - 1.0) * sum / (weight / (kappa_ - reach)).sum();
  }
  z_ = kappa_ - reach;
  v_ = product / z_;
  v_ /= v_.sum();
  refresh();
}

void PolytopeBlock::update_residuals(const ArrayView& loss) {
  residual_ = 0.0;
  r4_ = 0.0;
  for (Eigen::Index i = 0; i < count_; ++i) {
    const double shrink = 1.0 / (1.0 + a_ * t_[i]);
    const bool dead = p_[i] == 0.0;
    r1_[i] = dead ? 0.0 : loss[i] - c_ + t_[i] - e_[i];
    gp_[i] = dead ? 0.0 : gamma_[i] * shrink;
    eta_[i] = dead ? 0.0 : shrink * (phi_[i] - t_[i]);
    s_[i] = p_[i] * gp_[i];
    residual_ += g_[i] * money(r1_[i], a_);
    r4_ += p_[i] * phi_[i];
  }
  multiply(priors_, phi_, r2_);
  r2_ += z_ - kappa_;
  residual_ += (v_ * r2_.abs()).sum();
  mass_ = 1.0 - v_.sum();
  s1_ = s_.sum();
  multiply(priors_, eta_, f_);
  dloss_ = (p_ > 0.0).select((gp_ * t_ / p_.max(1e-300)).sqrt(), 0.0);
  for (Eigen::Index v = 0; v < vertices_; ++v) {
    scaled_.row(v).array() = priors_.row(v).array() * dloss_.transpose();
  }
  system_.setZero();
  add_gram(scaled_, system_);
  system_.diagonal() += (z_ / v_).matrix();
  factor_system();
  root_s_ = (a_ * s_).sqrt();
  for (Eigen::Index v = 0; v < vertices_; ++v) {
    scaled_.row(v).array() = priors_.row(v).array() * gp_.transpose();
  }
  by_f_ = f_;
  solve_in_place(by_f_);
  by_one_.setOnes();
  solve_in_place(by_one_);
  f_f_ = (f_ * by_f_).sum();
  f_one_ = by_f_.sum();
  one_one_ = by_one_.sum();
}

/// Into its triangular factor, by rows, in place. A pivot that is rounding fixes its unknown.
void PolytopeBlock::factor_system() {
  for (Eigen::Index v = 0; v < vertices_; ++v) {
    double* const row = &system_(v, 0);
    for (Eigen::Index w = 0; w < v; ++w) {
      row[w] = (row[w] - dot(row, &system_(w, 0), w)) * inverse_[w];
    }
    const double pivot = row[v] - dot(row, row, v);
    inverse_[v] = pivot > 0.0 ? 1.0 / std::sqrt(pivot) : 0.0;
  }
}

/// By half of the factor.
void PolytopeBlock::halve_in_place(Slice& x) const {
  for (Eigen::Index v = 0; v < vertices_; ++v) {
    x[v] = (x[v] - dot(&system_(v, 0), x.data(), v)) * inverse_[v];
  }
}

void PolytopeBlock::solve_in_place(Slice& x) const {
  halve_in_place(x);
  for (Eigen::Index v = vertices_; v-- > 0;) {
    x[v] *= inverse_[v];
    for (Eigen::Index w = 0; w < v; ++w) {
      x[w] -= x[v] * system_(v, w);
    }
  }
}

PolytopeBlock::Border PolytopeBlock::solve(double of_c, double of_kappa) const {
  const double pivot = a_ * (f_f_ - f_one_ * f_one_ / one_one_) + s1_;
  Border border;
  border.c = (of_c - f_one_ * of_kappa / one_one_) / pivot;
  border.kappa = (of_kappa - a_ * f_one_ * border.c) / one_one_;
  return border;
}

void PolytopeBlock::root(const double* payoff, double* root) const {
  const Eigen::Map<const Array> paid(payoff, count_);
  Slice value(root + count_, vertices_);
  multiply(scaled_, paid, value);
  const Border border = solve((by_f_ * value).sum() + (s_ * paid).sum(), (by_one_ * value).sum());
  for (Eigen::Index i = 0; i < count_; ++i) {
    root[i] = root_s_[i] * (payoff[i] - border.c);
  }
  value -= a_ * border.c * f_ + border.kappa;
  halve_in_place(value);
}

void PolytopeBlock::set_targets(double tau, double second_order) {
  for (Eigen::Index i = 0; i < count_; ++i) {
    const double growth = p_[i] > 0.0 ? dp_[i] / p_[i] + a_ * eps_[i] : 0.0;
    target_t_[i] =
        p_[i] > 0.0 ? tau * weight_[i] / g_[i] - t_[i] - second_order * growth * dt_[i] : 0.0;
  }
  target_v_ = tau / static_cast<double>(vertices_) - v_ * z_ - second_order * dv_ * dz_;
}

void PolytopeBlock::set_affine_rhs() { set_targets(0.0, 0.0); }
void PolytopeBlock::set_combined_rhs(double tau, bool /*second_order*/) { set_targets(tau, 1.0); }
void PolytopeBlock::set_centering_rhs(double tau) { set_targets(tau, 0.0); }

void PolytopeBlock::reduce() {
  k1_ = r1_ + target_t_;
  multiply(scaled_, k1_, h_);
  h_ += target_v_ / v_ + r2_;
  of_c_ = (by_f_ * h_).sum() + (s_ * k1_).sum() + r4_;
  of_kappa_ = (by_one_ * h_).sum() - mass_;
  const Border border = solve(of_c_, of_kappa_);
  dv_ = h_ - a_ * border.c * f_ - border.kappa;
  solve_in_place(dv_);
  multiply_transposed(scaled_, dv_, step_g_);
  step_g_ += a_ * s_ * (k1_ - border.c);
}

void PolytopeBlock::recover_step(const ArrayView& dloss) {
  dloss_ = dloss;
  multiply(scaled_, dloss_, dv_);
  const Border border =
      solve(of_c_ + (by_f_ * dv_).sum() + (s_ * dloss).sum(), of_kappa_ + (by_one_ * dv_).sum());
  dc_ = border.c;
  dkappa_ = border.kappa - border.c;
  dv_ += h_ - a_ * border.c * f_ - border.kappa;
  solve_in_place(dv_);
  dz_ = (target_v_ - z_ * dv_) / v_;
  multiply_transposed(priors_, dv_, dp_);
  for (Eigen::Index i = 0; i < count_; ++i) {
    const double x = p_[i] > 0.0 ? dp_[i] / p_[i] : 0.0;
    eps_[i] = p_[i] > 0.0 ? (dloss[i] - dc_ + k1_[i] - t_[i] * x) / (1.0 + a_ * t_[i]) : 0.0;
    dt_[i] = target_t_[i] - t_[i] * (x + a_ * eps_[i]);
  }
}

double PolytopeBlock::complementarity(double along) const {
  double sum = ((v_ + along * dv_) * (z_ + along * dz_)).sum();
  for (Eigen::Index i = 0; i < count_; ++i) {
    if (p_[i] > 0.0) {
      const double growth = dp_[i] / p_[i] + a_ * eps_[i];
      sum += g_[i] * (1.0 + along * growth) * (t_[i] + along * dt_[i]);
    }
  }
  return sum;
}

void PolytopeBlock::ratio_test(double& inverse_step) const {
  inverse_step = std::max({inverse_step, -(dv_ / v_).minCoeff(), -(dz_ / z_).minCoeff()});
  for (Eigen::Index i = 0; i < count_; ++i) {
    inverse_step = std::max({inverse_step, -dt_[i] / t_[i], -a_ * eps_[i]});
  }
}

/// Shorten until the residual falls as promised, or is small next to the products.
double PolytopeBlock::shorten(double step, double tau_now, double tau_full) {
  for (int attempt = 0; attempt < kBacktracks; ++attempt, step *= kBacktrack) {
    double residual = 0.0;
    for (Eigen::Index i = 0; i < count_; ++i) {
      reach_[i] = 0.0;
      if (p_[i] == 0.0) {
        continue;
      }
      const double growth = 1.0 + step * dp_[i] / p_[i];
      const double change = step * eps_[i] / std::max(growth, 1.0);
      const double r1 = r1_[i] + step * (dloss_[i] - dc_ + dt_[i]) - scaled_log1p(a_, change);
      residual += p_[i] * growth * gamma_[i] * (1.0 + a_ * change) * money(r1, a_);
      reach_[i] = gamma_[i] * change;
    }
    multiply(priors_, reach_, moved_);
    moved_ += r2_ + step * (dz_ - dkappa_);
    residual += ((v_ + step * dv_) * moved_.abs()).sum();
    const double tau = tau_now + step * (tau_full - tau_now);
    if (is_accurate(residual, residual, residual_, step, tau)) {
      break;
    }
  }
  return step;
}

void PolytopeBlock::advance(double step, const ArrayView& /*loss*/) {
  c_ += step * dc_;
  kappa_ += step * dkappa_;
  for (Eigen::Index i = 0; i < count_; ++i) {
    if (p_[i] == 0.0) {
      continue;
    }
    const double growth = 1.0 + step * dp_[i] / p_[i];
    const double change = step * eps_[i] / std::max(growth, 1.0);
    t_[i] += step * dt_[i];
    e_[i] += scaled_log1p(a_, change);
    phi_[i] += gamma_[i] * change;
    gamma_[i] *= 1.0 + a_ * change;
  }
  v_ += step * dv_;
  z_ += step * dz_;
  refresh();
}

double PolytopeBlock::conjugate() {
  if (a_ == 0.0) {
    return 0.0;
  }
  eta_ = g_ / g_.sum();
  reach_ = p_ / p_.sum();
  return cost_.conjugate(eta_, reach_);
}

/// The vertices' weights in g = sum of weight g_v, g_v the gradient at a vertex alone: v_v times
/// the vertex's mean of e^{a e}.
void PolytopeBlock::write_weights(Array& weights) const {
  weights = v_ * (1.0 + a_ * (priors_ * phi_.matrix()).array());
  weights /= weights.sum();
}

}  // namespace kpm
