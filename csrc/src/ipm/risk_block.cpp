#include "ipm/risk_block.hpp"

#include <algorithm>
#include <cmath>

#include "ipm/residual.hpp"
#include "numerics/entropy.hpp"

namespace kpm {

namespace {

/// By the library, whose logarithm holds for any x.
Pair log1p_of_each(const Pair& x) {
  return each_of(x, [](double value) { return std::log1p(value); });
}

/// The integrand of KL(q e^m | q) for known e^m.
Pair entropy_integrand(const Pair& m, const Pair& power) {
  const auto one = [](double exponent, double value) {
    return std::abs(exponent) < kEntropySeries ? entropy_series(exponent)
                                               : value * (exponent - 1.0) + 1.0;
  };
  return {one(m[0], power[0]), one(m[1], power[1])};
}

/// The least share of the slack promised by the linear model that a step may leave.
constexpr double kBallFraction = 0.05;
constexpr double kBallKept = 0.5;  // what a shortened step aims at
constexpr double kShortest = 0.5;  // a single backtrack
constexpr double kLongest = 0.99;
constexpr int kBacktracks = 40;
constexpr int kPatience = 6;  // tries to lower the residual; after them only the ball counts

/// The ball counts as slack where its slack exceeds this share of the radius at the optimum.
constexpr double kSlackShare = 0.1;

}  // namespace

/// The probabilities, from their ratios.
void RiskBlock::refresh() {
  for (Eigen::Index k = 0; k < states_.size(); ++k) {
    States& state = states_[k];
    state.p = state.q * state.ratio;
    state.g = state.p * state.gamma;
    put(p, k, state.p);
    put(g, k, state.g);
  }
}

void RiskBlock::put(Slice& array, Eigen::Index k, const Pair& values) const {
  array[2 * k] = values[0];
  if (2 * k + 1 < count_) {
    array[2 * k + 1] = values[1];
  }
}

void RiskBlock::update_residuals(const double* loss) {
  const double a = a_;  // copies: the compiler must assume that the loop writes to the members
  const double c = c_;
  const double mu = mu_;
  const double kappa = kappa_;
  const double inverse_mu = ball_ ? 1.0 / mu : 0.0;
  Pair residual(0.0, 0.0);
  Pair products(0.0, 0.0);
  Pair r3(0.0, 0.0);
  Pair r4(0.0, 0.0);
  Pair cc(0.0, 0.0);  // the border's entries, summed over the states
  Pair ck(0.0, 0.0);
  Pair cm(0.0, 0.0);
  Pair kk(0.0, 0.0);
  Pair km(0.0, 0.0);
  Pair mm(0.0, 0.0);
  // Eliminating t and then e in each state leaves, with kappa' = kappa + c,
  //   x = x0 + (g' dL - a eta dc - dkappa' - m dmu) / E
  //   e = shrink (dL - dc + k1 - t x),     dg = p g' (x + a (dL - dc + k1)).
  // Writing the border in (dc, dkappa', dmu) and dividing its first row by a keeps it regular as
  // a -> 0, where the conditions sum g = 1 and sum p = 1 become one.
  for (Eigen::Index k = 0; k < states_.size(); ++k) {
    States& state = states_[k];
    const Pair loss_k = pair_of(loss, count_, k);
    const Pair t = state.t;
    const Pair p_k = state.p;
    const Pair g_k = state.g;
    const Pair r1 = loss_k - c + t - state.e;
    residual += g_k * money(r1, a);
    products += g_k * t;
    r3 += state.q * state.excess;
    r4 += p_k * state.phi;
    const Pair shrink = 1.0 / (1.0 + a * t);
    const Pair gp = state.gamma * shrink;
    const Pair eta = shrink * (state.phi - t);
    const Pair centre_h = state.weight / state.ratio;
    Pair inverse_e(0.0, 0.0);  // p does not move
    if (ball_) {
      const Pair r2 = state.phi - mu * state.m - kappa + state.h;
      residual += p_k * money(r2, inverse_mu);
      products += p_k * state.h;
      inverse_e = 1.0 / (gp * t + mu + state.h);
      state.r2 = r2;
      state.centre_h = centre_h;
    } else if (simplex_) {
      inverse_e = 1.0 / t;
    }
    const Pair pg = p_k * gp;
    const Pair w = p_k * inverse_e;
    const Pair w_eta = w * eta;
    const Pair w_m = w * state.m;
    cc += a * w_eta * eta + pg;
    ck += w_eta;
    cm += w_eta * state.m;
    kk += w;
    km += w_m;
    mm += w_m * state.m;
    state.r1 = r1;
    state.centre_t = centre_h / state.gamma;
    state.shrink = shrink;
    state.gp = gp;
    state.eta = eta;
    state.inverse_e = inverse_e;
    state.row_c = gp * w_eta + pg;
    state.row_kappa = gp * w;
    state.row_mu = gp * w_m;
    state.root_p = w.sqrt();
    state.root_g = (a * pg).sqrt();
  }
  weighted_residual_ = residual.sum();
  products_ = {products.sum(), 0.0, 0.0, 0.0};
  r3_ = r3.sum();
  r4_ = r4.sum();
  if (ball_) {
    products_.now += mu * slack_;
    root_slack_ = std::sqrt(slack_ * inverse_mu);
  }
  factor_border({cc.sum(), ck.sum(), cm.sum(), kk.sum(), km.sum(), mm.sum()});
}

/// Of the three numbers that all states share, by elimination.
void RiskBlock::factor_border(const Sums& of) {
  border_ = {};
  if (ball_) {
    const double of_slack = slack_ * (1.0 / mu_);
    border_.ck = of.ck;
    border_.cm = of.cm;
    border_.inverse_c = 1.0 / of.cc;
    border_.kappa_by_c = a_ * border_.ck * border_.inverse_c;
    border_.mu_by_c = a_ * border_.cm * border_.inverse_c;
    border_.inverse_kappa = 1.0 / (of.kk - border_.kappa_by_c * border_.ck);
    const double rest = of.km - border_.kappa_by_c * border_.cm;
    border_.mu_by_kappa = rest * border_.inverse_kappa;
    border_.inverse_mu =
        1.0 / (of.mm + of_slack - border_.mu_by_c * border_.cm - border_.mu_by_kappa * rest);
  } else if (simplex_) {
    border_.inverse_kappa = 1.0 / of.kk;
  } else {
    border_.inverse_c = 1.0 / of.cc;
  }
}

Eigen::Index RiskBlock::root_size() const {
  return ball_ ? 4 * states_.size() + 1 : 2 * states_.size();
}

void RiskBlock::root(const double* payoff, double scale, double* root) const {
  Pair of_c(0.0, 0.0);
  Pair of_kappa(0.0, 0.0);
  Pair of_mu(0.0, 0.0);
  for (Eigen::Index k = 0; k < states_.size(); ++k) {
    const States& state = states_[k];
    const Pair paid = pair_of(payoff, count_, k);
    of_c += state.row_c * paid;
    of_kappa += state.row_kappa * paid;
    of_mu += state.row_mu * paid;
  }
  const Border::Solution theta = border_.solve(of_c.sum(), of_kappa.sum(), of_mu.sum());
  const double by_eta = a_ * theta.c;
  for (Eigen::Index k = 0; k < states_.size(); ++k) {
    const States& state = states_[k];
    const Pair paid = pair_of(payoff, count_, k);
    if (!simplex_) {
      PairSlice(root + 2 * k) = scale * state.root_g * (paid - theta.c);
    }
    if (ball_ || simplex_) {
      double* const of_p = simplex_ ? root : root + 2 * states_.size();
      PairSlice(of_p + 2 * k) =
          scale * state.root_p *
          (state.gp * paid - theta.kappa - by_eta * state.eta - theta.mu * state.m);
    }
  }
  if (ball_) {
    root[4 * states_.size()] = scale * root_slack_ * theta.mu;
  }
}

void RiskBlock::reduce() {
  Pair of_c(0.0, 0.0);
  Pair of_kappa(0.0, 0.0);
  Pair of_mu(0.0, 0.0);
  for (States& state : states_) {
    const Pair k1 = state.r1 + state.target_t;
    const Pair gk = state.gp * k1;
    const Pair x0 = (ball_ ? Pair(gk + (state.r2 + state.target_h)) : gk) * state.inverse_e;
    const Pair px = state.p * x0;
    of_c += px * state.eta + state.p * gk;
    of_kappa += px;
    of_mu += px * state.m;
    state.k1 = k1;
    state.x0 = x0;
  }
  of_c_ = r4_ + of_c.sum();
  of_kappa_ = r3_ + of_kappa.sum();
  of_mu_ = ball_ ? of_mu.sum() + target_ball_ / mu_ - ball_correction_ : of_mu.sum();
  const Border::Solution theta = border_.solve(of_c_, of_kappa_, of_mu_);
  const double a = a_;
  const double by_eta = a * theta.c;
  for (Eigen::Index k = 0; k < states_.size(); ++k) {
    const States& state = states_[k];
    put(step_g, k,
        state.p * state.gp *
            (state.x0 - (by_eta * state.eta + theta.kappa + theta.mu * state.m) * state.inverse_e +
             a * (state.k1 - theta.c)));
  }
}

void RiskBlock::recover_step(const double* dloss) {
  Pair of_c(0.0, 0.0);
  Pair of_kappa(0.0, 0.0);
  Pair of_mu(0.0, 0.0);
  for (Eigen::Index k = 0; k < states_.size(); ++k) {
    States& state = states_[k];
    const Pair dloss_k = pair_of(dloss, count_, k);
    of_c += state.row_c * dloss_k;
    of_kappa += state.row_kappa * dloss_k;
    of_mu += state.row_mu * dloss_k;
    state.dloss = dloss_k;
  }
  const Border::Solution theta =
      border_.solve(of_c_ + of_c.sum(), of_kappa_ + of_kappa.sum(), of_mu_ + of_mu.sum());
  const double a = a_;
  const double dc = simplex_ ? theta.kappa : theta.c;
  const double by_eta = a * theta.c;
  Pair entropy_slope(0.0, 0.0);
  Pair curvature(0.0, 0.0);
  Pair once(0.0, 0.0);  // the products' first and second-order terms
  Pair twice(0.0, 0.0);
  Pair inverse_step(0.0, 0.0);
  for (States& state : states_) {
    const Pair t = state.t;
    const Pair x = state.x0 + (state.gp * state.dloss - by_eta * state.eta - theta.kappa -
                               theta.mu * state.m) *
                                  state.inverse_e;
    Pair a_eps(0.0, 0.0);
    if (!simplex_) {
      const Pair eps = state.shrink * (state.dloss - dc + state.k1 - t * x);
      a_eps = a * eps;
      state.eps = eps;
    }
    const Pair change_g = x + a_eps;
    const Pair dt = state.target_t - t * change_g;
    once += state.g * (dt + t * change_g);
    twice += state.g * (change_g * dt);
    inverse_step = inverse_step.max((-dt / t).max(-a_eps)).max(-x);
    if (ball_) {
      const Pair px = state.p * x;
      const Pair h = state.h;
      const Pair dh = state.target_h - h * x;
      entropy_slope += px * state.m;
      curvature += px * x;
      once += state.p * (dh + h * x);
      twice += px * dh;
      inverse_step = inverse_step.max(-dh / h);
      state.dh = dh;
    }
    state.x = x;
    state.dt = dt;
  }
  dc_ = dc;
  dkappa_ = theta.kappa - dc;
  dmu_ = theta.mu;
  curvature_ = curvature.sum();
  dslack_ = ball_correction_ - entropy_slope.sum();
  products_ = {products_.now, once.sum(), 0.0, twice.sum()};
  inverse_step_ = inverse_step.maxCoeff();
  if (ball_) {
    products_.by_primal += dmu_ * slack_ + mu_ * dslack_;
    products_.by_both += dmu_ * dslack_;
    inverse_step_ = std::max({inverse_step_, -dmu_ / mu_, -dslack_ / slack_});
  }
}

void RiskBlock::set_affine_rhs() {
  for (States& state : states_) {
    state.target_t = -state.t;
    state.target_h = -state.h;
  }
  target_ball_ = -mu_ * slack_;
  ball_correction_ = 0.0;
}

void RiskBlock::set_combined_rhs(double tau, bool second_order) {
  const double a = a_;
  for (States& state : states_) {
    state.target_t = tau * state.centre_t - (state.t + (state.x + a * state.eps) * state.dt);
    if (ball_) {
      state.target_h = tau * state.centre_h - (state.h + state.x * state.dh);
    }
  }
  target_ball_ = tau * ball_weight_ - mu_ * slack_ - dmu_ * dslack_;
  // The ball curves: second-order term of KL along the predictor.
  ball_correction_ = second_order ? -0.5 * curvature_ : 0.0;
}

void RiskBlock::set_centering_rhs(double tau) {
  for (States& state : states_) {
    state.target_t = tau * state.centre_t - state.t;
    if (ball_) {
      state.target_h = tau * state.centre_h - state.h;
    }
  }
  target_ball_ = tau * ball_weight_ - mu_ * slack_;
  ball_correction_ = 0.0;
}

/// Sets the trial values, trial_slack_, trial_residual_ and trial_descent_: where a step would
/// lead. g is to follow its linear step while p grows, and p while p shrinks: the plain ratio of
/// the two linear steps would blow e up in states whose p nearly vanishes.
void RiskBlock::try_step(double step) {
  const double a = a_;
  const double inverse_a = inverse_a_;
  const double dc = dc_;
  const double dkappa = dkappa_;
  const double mu_now = mu_;
  const double mu = mu_now + step * dmu_;
  const double curvature = ball_ ? 1.0 / mu_now : 0.0;
  const double curvature_there = ball_ ? 1.0 / mu : 0.0;
  Pair entropy(0.0, 0.0);
  Pair residual(0.0, 0.0);
  Pair descent(0.0, 0.0);
  for (States& state : states_) {
    const Pair grown = step * state.x;
    const Pair growth = 1.0 + grown;
    const Pair p_new = state.p * growth;
    const Pair change = step * state.eps / growth.max(1.0);
    const Pair a_change = a * change;
    const Pair de = inverse_a * log1p_of_each(a_change);
    const Pair r1 = state.r1 + step * (state.dloss - dc + state.dt) - de;
    residual += p_new * state.gamma * (1.0 + a_change) * money(r1, a);
    descent += state.g * money(r1, a);
    state.change = change;
    state.trial_e = state.e + de;
    if (ball_) {
      const Pair m = state.m + log1p_of_each(grown);
      entropy += state.q * entropy_integrand(m, state.ratio * growth);
      const Pair r2 = state.r2 + step * (state.dh - dkappa) + state.gamma * change -
                      (mu * m - mu_now * state.m);
      residual += p_new * money(r2, curvature_there);
      descent += state.p * money(r2, curvature);
      state.trial_m = m;
    }
  }
  trial_slack_ = market_.ambiguity - entropy.sum();
  trial_residual_ = residual.sum();
  trial_descent_ = descent.sum();
}

double RiskBlock::shorten(double step, double tau_now, double tau_full) {
  if (simplex_) {
    return step;
  }
  for (int attempt = 0; attempt < kBacktracks; ++attempt) {
    try_step(step);
    const double tau = tau_now + step * (tau_full - tau_now);
    const double linear_slack = slack_ + step * dslack_;
    const bool inside = !ball_ || (trial_slack_ > 0.0 &&
                                   trial_slack_ >= kBallFraction * std::min(slack_, linear_slack));
    const bool accurate =
        is_accurate(trial_residual_, trial_descent_, weighted_residual_, step, tau);
    if (inside && (accurate || attempt >= kPatience)) {
      return step;
    }
    const double bend = (linear_slack - trial_slack_) / (step * step);
    double shorter = kBacktrack;
    if (!inside && bend > 0.0) {
      // Where the slack, a parabola by now, is kBallKept of the linear one. A fixed backtrack would
      // leave a fixed share of every product behind, near the end too, where the parabola is flat.
      const double rise = -(1.0 - kBallKept) * dslack_;
      const double room = (1.0 - kBallKept) * slack_;
      const double root = std::sqrt(std::max(rise * rise + 4.0 * bend * room, 0.0));
      shorter = std::clamp(2.0 * room / (rise + root) / step, kShortest, kLongest);
    }
    step *= shorter;
  }
  return 0.0;
}

void RiskBlock::advance(double step) {
  c_ += step * dc_;
  if (ball_) {
    kappa_ += step * dkappa_;
    mu_ += step * dmu_;
    slack_ = trial_slack_;
  }
  const double a = a_;
  for (States& state : states_) {
    const Pair grown = step * state.x;
    state.t += step * state.dt;
    if (!simplex_) {
      state.e = state.trial_e;
      state.phi += state.gamma * state.change;
      state.gamma *= 1.0 + a * state.change;
    }
    if (ball_) {
      state.h += step * state.dh;
      state.m = state.trial_m;
    }
    state.excess += state.ratio * grown;
    state.ratio *= 1.0 + grown;
  }
  refresh();
}

double RiskBlock::divergence() const {
  if (simplex_) {
    return 0.0;
  }
  if (ball_ && !(slack_ >= 0.0)) {
    return kInfinity;  // a p outside the ball bounds nothing
  }
  Pair mass_p(0.0, 0.0);
  Pair mass_g(0.0, 0.0);
  Pair mean_e(0.0, 0.0);
  Pair mean_phi(0.0, 0.0);
  for (const States& state : states_) {
    mass_p += state.p;
    mass_g += state.g;
    mean_e += state.g * state.e;
    mean_phi += state.p * state.phi;
  }
  return std::max(0.0,
                  mean_e.sum() / mass_g.sum() - scaled_log1p(a_, mean_phi.sum() / mass_p.sum()));
}

double RiskBlock::upper_bound(const ArrayView& loss) const {
  double worst = loss[0];
  for (Eigen::Index i = 1; i < count_; ++i) {
    worst = std::max(worst, loss[i]);
  }
  if (simplex_) {
    return worst;
  }
  const auto phi_of = [this](double x) { return scaled_expm1(a_, x); };
  double bound = 0.0;
  if (ball_) {
    const double top = phi_of(worst - c_);
    const double inverse_mu = 1.0 / mu_;
    TiltMass mass;
    for (Eigen::Index k = 0; k < states_.size(); ++k) {
      const Pair phi = each_of(pair_of(loss.data(), count_, k) - c_, phi_of);
      const PairPower power = powers_of((phi - top) * inverse_mu);
      mass.add((states_[k].q * power.value).sum(), (states_[k].q * power.excess).sum());
    }
    bound = top + mu_ * (market_.ambiguity + mass.log());
  } else {
    Pair mean(0.0, 0.0);
    for (Eigen::Index k = 0; k < states_.size(); ++k) {
      mean += states_[k].q * each_of(pair_of(loss.data(), count_, k) - c_, phi_of);
    }
    bound = mean.sum();
  }
  return c_ + scaled_log1p(a_, bound);
}

double RiskBlock::ambiguity_price() const {
  return ball_ && slack_ > kSlackShare * market_.ambiguity ? 0.0 : mu_;
}

}  // namespace kpm
