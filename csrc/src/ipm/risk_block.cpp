#include "ipm/risk_block.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/entropy.hpp"

namespace kpm {

namespace {

/// What a violated stationarity condition costs: linear where the probability may vanish, but
/// quadratic near a maximum of the given curvature.
double money(double residual, double curvature) {
  const double size = std::abs(residual);
  return size * std::min(1.0, curvature * size);
}

/// The u > 0 with u e^u = e^x, to a few digits: where a start needs to be.
double product_log(double x) {
  double u = x > 1.0 ? x - std::log(x) : 1.0 / (1.0 + std::exp(-x));
  for (int step = 0; step < 3; ++step) {
    u *= (1.0 + x - std::log(u)) / (1.0 + u);
  }
  return u;
}

/// The least share of the slack promised by the linear model that a step may leave.
constexpr double kBallFraction = 0.05;
constexpr double kBacktrack = 0.7;
constexpr int kBacktracks = 40;
constexpr int kPatience = 6;  // so many tries for the residual's sake, then the ball alone counts

/// A step must lower the nonlinear residual by this share of what the linear model promises ...
constexpr double kDecrease = 0.5;
/// ... unless it is this small next to the complementarity products anyway.
constexpr double kResidualShare = 3.0;

/// The ball counts as slack where its slack exceeds this share of the radius at the optimum.
constexpr double kSlackShare = 0.1;

}  // namespace

RiskBlock::RiskBlock(const ScaledMarket& market)
    : p(market.states()),
      g(market.states()),
      step_g(market.states()),
      market_(market),
      ball_(market.kind == Ambiguity::kBall),
      simplex_(market.kind == Ambiguity::kSimplex),
      a_(simplex_ ? 0.0 : market.risk_aversion),
      states_(market.states()) {
  for (Array* array :
       {&trial_e_,  &p,          &g,        &step_g, &m_,         &ratio_,  &excess_, &e_,
        &gamma_,    &phi_,       &t_,       &h_,     &x_,         &eps_,    &dt_,     &dh_,
        &target_t_, &target_h_,  &r1_,      &r2_,    &k1_,        &x0_,     &shrink_, &gp_,
        &eta_,      &inverse_e_, &trial_m_, &row_c_, &row_kappa_, &row_mu_, &root_p_, &root_g_}) {
    array->setZero(market.states());
  }
  weight_ = market.prior;
  if (simplex_) {
    weight_ = 0.5 * (weight_ + 1.0 / market.states());
  }
}

/// On the central path at `tau` for the given losses, but for second-order terms: p on a ball of
/// `entropy_share` times the radius, then t and h so that t g and h p are tau q and the
/// stationarity holds.
void RiskBlock::start(const Array& loss, double tau, double entropy_share) {
  const Array& q = market_.prior;
  const double worst = loss.maxCoeff();
  t_ = tau;
  h_ = 0.0;
  m_ = 0.0;
  ratio_ = 1.0;
  excess_ = 0.0;
  e_ = 0.0;
  phi_ = 0.0;
  gamma_ = 1.0;
  mu_ = kappa_ = 0.0;
  slack_ = ball_weight_ = 1.0;
  // No step yet. A cell that ran into infinities must leave nothing behind: 0 * NaN is NaN.
  for (Array* direction : {&x_, &eps_, &dt_, &dh_}) {
    direction->setZero();
  }
  dc_ = dmu_ = dkappa_ = dslack_ = 0.0;
  border_rhs_.setZero();
  if (simplex_) {
    c_ = worst + tau;
    double mass = 0.0;
    for (Eigen::Index i = 0; i < states_; ++i) {
      t_[i] = c_ - loss[i];
      ratio_[i] = weight_[i] / q[i] * (tau / t_[i]);
      mass += q[i] * ratio_[i];
    }
    ratio_ /= mass;
    refresh();
    return;
  }

  // Utilities relative to the worst state's: all of them in [0, 1].
  for (Eigen::Index i = 0; i < states_; ++i) {
    phi_[i] = scaled_expm1(a_, loss[i] - worst);
  }
  if (ball_) {
    start_ball(tau, entropy_share);
  }
  double utility = 0.0;
  double mean = 0.0;
  for (Eigen::Index i = 0; i < states_; ++i) {
    utility += q[i] * ratio_[i] * std::exp(a_ * (loss[i] - worst));
    mean += q[i] * ratio_[i] * phi_[i];
  }
  c_ = worst + (utility > 0.5 ? scaled_log1p(a_, mean) : std::log(utility) / a_);
  mu_ /= utility;
  double excess = 0.0;
  for (Eigen::Index i = 0; i < states_; ++i) {
    const double surplus = loss[i] - c_;
    t_[i] = product_log(std::log(a_ * tau * weight_[i] / q[i]) - m_[i] - a_ * surplus) / a_;
    e_[i] = surplus + t_[i];
    excess += q[i] * ratio_[i] * scaled_expm1(a_, e_[i]);
  }
  const double shift = scaled_log1p(a_, excess);  // sum g = 1
  c_ += shift;
  double offset = 0.0;
  for (Eigen::Index i = 0; i < states_; ++i) {
    e_[i] -= shift;
    phi_[i] = scaled_expm1(a_, e_[i]);
    gamma_[i] = std::exp(a_ * e_[i]);
    offset += q[i] * ratio_[i] * (phi_[i] - mu_ * m_[i]);
  }
  if (ball_) {
    kappa_ = offset;
    h_ = tau * weight_ / (q * ratio_);
    slack_ = market_.ambiguity - relative_entropy(m_, q);
    ball_weight_ = std::min(1.0, mu_ * slack_ / tau);
  }
  refresh();
}

/// p proportional to q e^{phi / mu} with at most `entropy_share` of the ball's entropy.
void RiskBlock::start_ball(double tau, double entropy_share) {
  const Array& q = market_.prior;
  const double mean = (q * phi_).sum();
  const double deviation = std::sqrt((q * (phi_ - mean).square()).sum());
  // No multiplier below tau, in units of the prior's utility. Losses that happen to be equal at the
  // start will not stay so: a small ball then still needs the multiplier that goes with its size.
  const double unit = tau * (1.0 + a_ * mean);
  mu_ = std::max({std::max(deviation, unit) / std::sqrt(2.0 * entropy_share * market_.ambiguity),
                  unit, tau * q.minCoeff()});
  for (int attempt = 0; attempt < 100; ++attempt) {
    double excess = 0.0;
    for (Eigen::Index i = 0; i < states_; ++i) {
      m_[i] = phi_[i] / mu_;
      excess += q[i] * std::expm1(m_[i]);
    }
    m_ -= excess > -0.5 ? std::log1p(excess) : std::log((q * m_.exp()).sum());
    if (relative_entropy(m_, q) <= entropy_share * market_.ambiguity) {
      break;
    }
    mu_ *= 1.3;
  }
  for (Eigen::Index i = 0; i < states_; ++i) {
    excess_[i] = std::expm1(m_[i]);
    ratio_[i] = std::exp(m_[i]);
  }
}

void RiskBlock::refresh() {
  for (Eigen::Index i = 0; i < states_; ++i) {
    p[i] = market_.prior[i] * ratio_[i];
    g[i] = p[i] * gamma_[i];
  }
}

void RiskBlock::factor(const Array& loss) {
  const Array& q = market_.prior;
  dual_residual = weighted_residual_ = r3_ = r4_ = 0.0;
  double cc = 0.0;  // the border's entries, summed over the states
  double ck = 0.0;
  double cm = 0.0;
  double kk = 0.0;
  double km = 0.0;
  double mm = 0.0;
  // Eliminating t and then e in each state leaves, with kappa' = kappa + c,
  //   x = x0 + (g' dL - a eta dc - dkappa' - m dmu) / E
  //   e = shrink (dL - dc + k1 - t x),     dg = p g' (x + a (dL - dc + k1)).
  // Writing the border in (dc, dkappa', dmu) and dividing its first row by a keeps it regular as
  // a -> 0, where the conditions sum g = 1 and sum p = 1 become one.
  for (Eigen::Index i = 0; i < states_; ++i) {
    r1_[i] = loss[i] - c_ + t_[i] - e_[i];
    dual_residual = std::max(dual_residual, std::abs(r1_[i]));
    weighted_residual_ += g[i] * money(r1_[i], a_);
    r3_ += q[i] * excess_[i];
    r4_ += p[i] * phi_[i];
    shrink_[i] = 1.0 / (1.0 + a_ * t_[i]);
    gp_[i] = gamma_[i] * shrink_[i];
    eta_[i] = shrink_[i] * (phi_[i] - t_[i]);
    if (ball_) {
      r2_[i] = phi_[i] - mu_ * m_[i] - kappa_ + h_[i];
      dual_residual = std::max(dual_residual, std::abs(r2_[i]));
      weighted_residual_ += p[i] * money(r2_[i], 1.0 / mu_);
      inverse_e_[i] = 1.0 / (gp_[i] * t_[i] + mu_ + h_[i]);
    } else {
      inverse_e_[i] = simplex_ ? 1.0 / t_[i] : 0.0;  // 0: p does not move
    }
    const double w = p[i] * inverse_e_[i];
    const double w_eta = w * eta_[i];
    const double w_m = w * m_[i];
    cc += a_ * w_eta * eta_[i] + p[i] * gp_[i];
    ck += w_eta;
    cm += w_eta * m_[i];
    kk += w;
    km += w_m;
    mm += w_m * m_[i];
    row_c_[i] = gp_[i] * (w_eta + p[i]);
    row_kappa_[i] = gp_[i] * w;
    row_mu_[i] = gp_[i] * w_m;
    root_p_[i] = std::sqrt(w);
    root_g_[i] = std::sqrt(a_ * p[i] * gp_[i]);
  }
  border_inverse_.setZero();
  if (ball_) {
    Eigen::Matrix3d border;
    border << cc, ck, cm, a_ * ck, kk, km, a_ * cm, km, mm + slack_ / mu_;
    border_inverse_ = border.partialPivLu().inverse();
  } else if (simplex_) {
    border_inverse_(1, 1) = 1.0 / kk;
  } else {
    border_inverse_(0, 0) = 1.0 / cc;
  }
}

Eigen::Index RiskBlock::root_size() const { return ball_ ? 2 * states_ + 1 : states_; }

void RiskBlock::root(const double* payoff, double scale, double* root) const {
  double of_c = 0.0;
  double of_kappa = 0.0;
  double of_mu = 0.0;
  for (Eigen::Index i = 0; i < states_; ++i) {
    of_c += row_c_[i] * payoff[i];
    of_kappa += row_kappa_[i] * payoff[i];
    of_mu += row_mu_[i] * payoff[i];
  }
  const Eigen::Vector3d theta = border_inverse_ * Eigen::Vector3d(of_c, of_kappa, of_mu);
  if (!simplex_) {
    for (Eigen::Index i = 0; i < states_; ++i) {
      root[i] = scale * root_g_[i] * (payoff[i] - theta[0]);
    }
    root += states_;
  }
  if (ball_ || simplex_) {
    for (Eigen::Index i = 0; i < states_; ++i) {
      root[i] = scale * root_p_[i] *
                (gp_[i] * payoff[i] - theta[1] - a_ * theta[0] * eta_[i] - theta[2] * m_[i]);
    }
  }
  if (ball_) {
    root[states_] = scale * std::sqrt(slack_ / mu_) * theta[2];
  }
}

void RiskBlock::condense() {
  double of_c = r4_;
  double of_kappa = r3_;
  double of_mu = 0.0;
  for (Eigen::Index i = 0; i < states_; ++i) {
    k1_[i] = r1_[i] + target_t_[i] / g[i];
    x0_[i] = gp_[i] * k1_[i] * inverse_e_[i];
    if (ball_) {
      x0_[i] += (r2_[i] + target_h_[i] / p[i]) * inverse_e_[i];
    }
    of_c += p[i] * (eta_[i] * x0_[i] + gp_[i] * k1_[i]);
    of_kappa += p[i] * x0_[i];
    of_mu += p[i] * m_[i] * x0_[i];
  }
  if (ball_) {
    of_mu += target_ball_ / mu_ - ball_correction_;
  }
  border_rhs_ << of_c, of_kappa, of_mu;
  const Eigen::Vector3d theta = border_inverse_ * border_rhs_;
  for (Eigen::Index i = 0; i < states_; ++i) {
    step_g[i] = p[i] * gp_[i] *
                (x0_[i] - (a_ * theta[0] * eta_[i] + theta[1] + theta[2] * m_[i]) * inverse_e_[i] +
                 a_ * (k1_[i] - theta[0]));
  }
}

void RiskBlock::expand(const Array& dloss) {
  dloss_ = &dloss;
  Eigen::Vector3d rhs = border_rhs_;
  for (Eigen::Index i = 0; i < states_; ++i) {
    rhs[0] += row_c_[i] * dloss[i];
    rhs[1] += row_kappa_[i] * dloss[i];
    rhs[2] += row_mu_[i] * dloss[i];
  }
  const Eigen::Vector3d theta = border_inverse_ * rhs;
  dc_ = simplex_ ? theta[1] : theta[0];
  dkappa_ = theta[1] - dc_;
  dmu_ = theta[2];
  double entropy_slope = 0.0;
  for (Eigen::Index i = 0; i < states_; ++i) {
    x_[i] = x0_[i] + (gp_[i] * dloss[i] - a_ * theta[0] * eta_[i] - theta[1] - theta[2] * m_[i]) *
                         inverse_e_[i];
    if (!simplex_) {
      eps_[i] = shrink_[i] * (dloss[i] - dc_ + k1_[i] - t_[i] * x_[i]);
    }
    if (ball_) {
      dh_[i] = target_h_[i] / p[i] - h_[i] * x_[i];
      entropy_slope += p[i] * m_[i] * x_[i];
    }
    dt_[i] = target_t_[i] / g[i] - t_[i] * (x_[i] + a_ * eps_[i]);
  }
  dslack_ = ball_correction_ - entropy_slope;
}

double RiskBlock::complementarity(double step) const {
  double sum = 0.0;
  for (Eigen::Index i = 0; i < states_; ++i) {
    sum += g[i] * (1.0 + step * (x_[i] + a_ * eps_[i])) * (t_[i] + step * dt_[i]);
    if (ball_) {
      sum += p[i] * (1.0 + step * x_[i]) * (h_[i] + step * dh_[i]);
    }
  }
  return ball_ ? sum + (mu_ + step * dmu_) * (slack_ + step * dslack_) : sum;
}

void RiskBlock::target_predictor() {
  target_t_ = -g * t_;
  target_h_ = -p * h_;
  target_ball_ = -mu_ * slack_;
  ball_correction_ = 0.0;
}

void RiskBlock::target_corrector(double tau, bool second_order) {
  double curvature = 0.0;
  for (Eigen::Index i = 0; i < states_; ++i) {
    target_t_[i] = tau * weight_[i] - g[i] * (t_[i] + (x_[i] + a_ * eps_[i]) * dt_[i]);
    if (ball_) {
      target_h_[i] = tau * weight_[i] - p[i] * (h_[i] + x_[i] * dh_[i]);
      curvature += p[i] * x_[i] * x_[i];
    }
  }
  target_ball_ = tau * ball_weight_ - mu_ * slack_ - dmu_ * dslack_;
  // The ball curves: second-order term of KL along the predictor.
  ball_correction_ = second_order ? -0.5 * curvature : 0.0;
}

void RiskBlock::target_centre(double tau) {
  target_t_ = tau * weight_ - g * t_;
  target_h_ = tau * weight_ - p * h_;
  target_ball_ = tau * ball_weight_ - mu_ * slack_;
  ball_correction_ = 0.0;
}

void RiskBlock::steepest(double& steepest) const {
  for (Eigen::Index i = 0; i < states_; ++i) {
    steepest = std::max({steepest, -dt_[i] / t_[i], -x_[i], -a_ * eps_[i]});
    if (ball_) {
      steepest = std::max(steepest, -dh_[i] / h_[i]);
    }
  }
  if (ball_) {
    steepest = std::max({steepest, -dmu_ / mu_, -dslack_ / slack_});
  }
}

/// The change of phi = (e^{a e} - 1) / a over its slope. g is to follow its linear step while p
/// grows, and p while p shrinks: the plain ratio of the two linear steps would blow e up in states
/// whose p nearly vanishes.
double RiskBlock::phi_change(Eigen::Index i, double step) const {
  return step * eps_[i] / std::max(1.0, 1.0 + step * x_[i]);
}

/// Sets trial_m_, trial_e_, trial_slack_ and trial_residual_: where a step would lead.
void RiskBlock::try_step(double step) {
  double entropy = 0.0;
  double residual = 0.0;
  double descent = 0.0;
  const double mu = mu_ + step * dmu_;
  for (Eigen::Index i = 0; i < states_; ++i) {
    const double change = phi_change(i, step);
    const double p_new = p[i] * (1.0 + step * x_[i]);
    trial_e_[i] = e_[i] + scaled_log1p(a_, change);
    const double r1 = r1_[i] + step * ((*dloss_)[i] - dc_ + dt_[i]) - (trial_e_[i] - e_[i]);
    residual += p_new * gamma_[i] * (1.0 + a_ * change) * money(r1, a_);
    descent += g[i] * money(r1, a_);
    if (ball_) {
      const double m = m_[i] + std::log1p(step * x_[i]);
      trial_m_[i] = m;
      entropy += market_.prior[i] * (std::abs(m) < kEntropySeries
                                         ? entropy_series(m)
                                         : ratio_[i] * (1.0 + step * x_[i]) * (m - 1.0) + 1.0);
      const double r2 =
          r2_[i] + step * (dh_[i] - dkappa_) + gamma_[i] * change - (mu * m - mu_ * m_[i]);
      residual += p_new * money(r2, 1.0 / mu);
      descent += p[i] * money(r2, 1.0 / mu_);
    }
  }
  trial_slack_ = market_.ambiguity - entropy;
  trial_residual_ = residual;
  trial_descent_ = descent;
}

double RiskBlock::shorten(double step, double tau_now, double tau_full) {
  if (simplex_) {
    return step;
  }
  for (int attempt = 0; attempt < kBacktracks; ++attempt) {
    try_step(step);
    const double tau = tau_now + step * (tau_full - tau_now);
    const bool inside =
        !ball_ || (trial_slack_ > 0.0 &&
                   trial_slack_ >= kBallFraction * std::min(slack_, slack_ + step * dslack_));
    const bool accurate = trial_residual_ <= kResidualShare * tau ||
                          trial_descent_ <= (1.0 - kDecrease * step) * weighted_residual_;
    if (inside && (accurate || attempt >= kPatience)) {
      return step;
    }
    step *= kBacktrack;
  }
  return 0.0;
}

void RiskBlock::advance(double step) {
  c_ += step * dc_;
  if (ball_) {
    kappa_ += step * dkappa_;
    mu_ += step * dmu_;
    slack_ = trial_slack_;
    m_ = trial_m_;
  }
  for (Eigen::Index i = 0; i < states_; ++i) {
    t_[i] += step * dt_[i];
    h_[i] += step * dh_[i];
    if (!simplex_) {
      const double change = phi_change(i, step);
      e_[i] = trial_e_[i];
      phi_[i] += gamma_[i] * change;
      gamma_[i] *= 1.0 + a_ * change;
    }
    excess_[i] += ratio_[i] * (step * x_[i]);
    ratio_[i] *= 1.0 + step * x_[i];
  }
  refresh();
}

double RiskBlock::divergence() const {
  if (simplex_) {
    return 0.0;
  }
  return (g * e_).sum() / g.sum() - scaled_log1p(a_, (p * phi_).sum() / p.sum());
}

double RiskBlock::upper_bound(const Array& loss) const {
  if (simplex_) {
    return loss.maxCoeff();
  }
  const Array& q = market_.prior;
  double bound = 0.0;
  if (ball_) {
    const double top = scaled_expm1(a_, loss.maxCoeff() - c_);
    double excess = 0.0;
    for (Eigen::Index i = 0; i < states_; ++i) {
      excess += q[i] * std::expm1((scaled_expm1(a_, loss[i] - c_) - top) / mu_);
    }
    bound = top + mu_ * (market_.ambiguity + std::log1p(excess));
  } else {
    for (Eigen::Index i = 0; i < states_; ++i) {
      bound += q[i] * scaled_expm1(a_, loss[i] - c_);
    }
  }
  return c_ + scaled_log1p(a_, bound);
}

double RiskBlock::ambiguity_price() const {
  return ball_ && slack_ > kSlackShare * market_.ambiguity ? 0.0 : mu_;
}

}  // namespace kpm
