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

/// The least share of the slack promised by the linear model that a step may leave.
constexpr double kBallFraction = 0.05;
constexpr double kBallKept = 0.5;  // what a shortened step aims at
constexpr double kBacktrack = 0.7;
constexpr double kShortest = 0.5;  // a single backtrack
constexpr double kLongest = 0.99;
constexpr int kBacktracks = 40;
constexpr int kPatience = 6;  // so many tries for the residual's sake, then the ball alone counts

/// A step must lower the nonlinear residual by this share of what the linear model promises ...
constexpr double kDecrease = 0.5;
/// ... unless it is this small next to the complementarity products anyway.
constexpr double kResidualShare = 10.0;

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
      inverse_a_(simplex_ ? 0.0 : 1.0 / market.risk_aversion),
      count_(market.states()),
      states_(static_cast<std::size_t>(count_)) {
  for (Eigen::Index i = 0; i < count_; ++i) {
    State& at = states_[static_cast<std::size_t>(i)];
    at.q = market.prior[i];
    at.weight = simplex_ ? 0.5 * (at.q + 1.0 / market.states()) : at.q;
  }
}

void RiskBlock::refresh() {
  for (Eigen::Index i = 0; i < count_; ++i) {
    const State& at = states_[static_cast<std::size_t>(i)];
    p[i] = at.q * at.ratio;
    g[i] = p[i] * at.gamma;
  }
}

void RiskBlock::measure(const Array& loss) {
  weighted_residual_ = r3_ = r4_ = 0.0;
  products_ = {};
  double cc = 0.0;  // the border's entries, summed over the states
  double ck = 0.0;
  double cm = 0.0;
  double kk = 0.0;
  double km = 0.0;
  double mm = 0.0;
  const double inverse_mu = ball_ ? 1.0 / mu_ : 0.0;
  // Eliminating t and then e in each state leaves, with kappa' = kappa + c,
  //   x = x0 + (g' dL - a eta dc - dkappa' - m dmu) / E
  //   e = shrink (dL - dc + k1 - t x),     dg = p g' (x + a (dL - dc + k1)).
  // Writing the border in (dc, dkappa', dmu) and dividing its first row by a keeps it regular as
  // a -> 0, where the conditions sum g = 1 and sum p = 1 become one.
  for (Eigen::Index i = 0; i < count_; ++i) {
    State& at = states_[static_cast<std::size_t>(i)];
    const double p_i = p[i];
    const double g_i = g[i];
    at.r1 = loss[i] - c_ + at.t - at.e;
    weighted_residual_ += g_i * money(at.r1, a_);
    products_.now += g_i * at.t;
    r3_ += at.q * at.excess;
    r4_ += p_i * at.phi;
    at.centre_t = at.weight / g_i;
    at.shrink = 1.0 / (1.0 + a_ * at.t);
    at.gp = at.gamma * at.shrink;
    at.eta = at.shrink * (at.phi - at.t);
    if (ball_) {
      at.r2 = at.phi - mu_ * at.m - kappa_ + at.h;
      weighted_residual_ += p_i * money(at.r2, inverse_mu);
      products_.now += p_i * at.h;
      at.centre_h = at.weight / p_i;
      at.inverse_e = 1.0 / (at.gp * at.t + mu_ + at.h);
    } else {
      at.inverse_e = simplex_ ? 1.0 / at.t : 0.0;  // 0: p does not move
    }
    const double pg = p_i * at.gp;
    const double w = p_i * at.inverse_e;
    const double w_eta = w * at.eta;
    const double w_m = w * at.m;
    cc += a_ * w_eta * at.eta + pg;
    ck += w_eta;
    cm += w_eta * at.m;
    kk += w;
    km += w_m;
    mm += w_m * at.m;
    at.row_c = at.gp * w_eta + at.gp * p_i;
    at.row_kappa = at.gp * w;
    at.row_mu = at.gp * w_m;
    at.root_p = std::sqrt(w);
    at.root_g = std::sqrt(a_ * pg);
  }
  border_ = {};
  if (ball_) {
    products_.now += mu_ * slack_;
    root_slack_ = std::sqrt(slack_ * inverse_mu);
    border_.ck = ck;
    border_.cm = cm;
    border_.inverse_c = 1.0 / cc;
    border_.kappa_by_c = a_ * ck * border_.inverse_c;
    border_.mu_by_c = a_ * cm * border_.inverse_c;
    border_.inverse_kappa = 1.0 / (kk - border_.kappa_by_c * ck);
    const double rest = km - border_.kappa_by_c * cm;
    border_.mu_by_kappa = rest * border_.inverse_kappa;
    border_.inverse_mu =
        1.0 / (mm + slack_ * inverse_mu - border_.mu_by_c * cm - border_.mu_by_kappa * rest);
  } else if (simplex_) {
    border_.inverse_kappa = 1.0 / kk;
  } else {
    border_.inverse_c = 1.0 / cc;
  }
}

Eigen::Index RiskBlock::root_size() const { return ball_ ? 2 * count_ + 1 : count_; }

void RiskBlock::root(const double* payoff, double scale, double* root) const {
  double of_c = 0.0;
  double of_kappa = 0.0;
  double of_mu = 0.0;
  for (Eigen::Index i = 0; i < count_; ++i) {
    const State& at = states_[static_cast<std::size_t>(i)];
    of_c += at.row_c * payoff[i];
    of_kappa += at.row_kappa * payoff[i];
    of_mu += at.row_mu * payoff[i];
  }
  const Border::Solution theta = border_.solve(of_c, of_kappa, of_mu);
  if (!simplex_) {
    for (Eigen::Index i = 0; i < count_; ++i) {
      root[i] = scale * states_[static_cast<std::size_t>(i)].root_g * (payoff[i] - theta.c);
    }
    root += count_;
  }
  if (ball_ || simplex_) {
    const double by_eta = a_ * theta.c;
    for (Eigen::Index i = 0; i < count_; ++i) {
      const State& at = states_[static_cast<std::size_t>(i)];
      root[i] =
          scale * at.root_p * (at.gp * payoff[i] - theta.kappa - by_eta * at.eta - theta.mu * at.m);
    }
  }
  if (ball_) {
    root[count_] = scale * root_slack_ * theta.mu;
  }
}

void RiskBlock::condense() {
  of_c_ = r4_;
  of_kappa_ = r3_;
  of_mu_ = 0.0;
  for (Eigen::Index i = 0; i < count_; ++i) {
    State& at = states_[static_cast<std::size_t>(i)];
    at.k1 = at.r1 + at.target_t;
    const double gk = at.gp * at.k1;
    at.x0 = (ball_ ? gk + (at.r2 + at.target_h) : gk) * at.inverse_e;
    const double px = p[i] * at.x0;
    of_c_ += px * at.eta + p[i] * gk;
    of_kappa_ += px;
    of_mu_ += px * at.m;
  }
  if (ball_) {
    of_mu_ += target_ball_ / mu_ - ball_correction_;
  }
  const Border::Solution theta = border_.solve(of_c_, of_kappa_, of_mu_);
  const double by_eta = a_ * theta.c;
  for (Eigen::Index i = 0; i < count_; ++i) {
    const State& at = states_[static_cast<std::size_t>(i)];
    step_g[i] = p[i] * at.gp *
                (at.x0 - (by_eta * at.eta + theta.kappa + theta.mu * at.m) * at.inverse_e +
                 a_ * (at.k1 - theta.c));
  }
}

void RiskBlock::expand(const Array& dloss) {
  dloss_ = &dloss;
  double of_c = of_c_;
  double of_kappa = of_kappa_;
  double of_mu = of_mu_;
  for (Eigen::Index i = 0; i < count_; ++i) {
    const State& at = states_[static_cast<std::size_t>(i)];
    of_c += at.row_c * dloss[i];
    of_kappa += at.row_kappa * dloss[i];
    of_mu += at.row_mu * dloss[i];
  }
  const Border::Solution theta = border_.solve(of_c, of_kappa, of_mu);
  dc_ = simplex_ ? theta.kappa : theta.c;
  dkappa_ = theta.kappa - dc_;
  dmu_ = theta.mu;
  const double by_eta = a_ * theta.c;
  double entropy_slope = 0.0;
  double once = 0.0;  // the products' first and second-order terms
  double twice = 0.0;
  double steepest = 0.0;
  double steepest_ball = 0.0;
  curvature_ = 0.0;
  for (Eigen::Index i = 0; i < count_; ++i) {
    State& at = states_[static_cast<std::size_t>(i)];
    at.x =
        at.x0 + (at.gp * dloss[i] - by_eta * at.eta - theta.kappa - theta.mu * at.m) * at.inverse_e;
    if (!simplex_) {
      at.eps = at.shrink * (dloss[i] - dc_ + at.k1 - at.t * at.x);
    }
    const double change_g = at.x + a_ * at.eps;
    at.dt = at.target_t - at.t * change_g;
    once += g[i] * (at.dt + at.t * change_g);
    twice += g[i] * (change_g * at.dt);
    steepest = std::max({steepest, -at.dt / at.t, -a_ * at.eps});
    if (ball_) {
      const double px = p[i] * at.x;
      at.dh = at.target_h - at.h * at.x;
      entropy_slope += px * at.m;
      curvature_ += px * at.x;
      once += p[i] * (at.dh + at.h * at.x);
      twice += px * at.dh;
      steepest_ball = std::max(steepest_ball, -at.dh / at.h);
    }
    steepest_ball = std::max(steepest_ball, -at.x);
  }
  dslack_ = ball_correction_ - entropy_slope;
  if (ball_) {
    once += dmu_ * slack_ + mu_ * dslack_;
    twice += dmu_ * dslack_;
    steepest = std::max({steepest, -dmu_ / mu_, -dslack_ / slack_});
  }
  steepest_ = std::max(steepest, steepest_ball);
  products_ = {products_.now, once, 0.0, twice};
}

void RiskBlock::target_predictor() {
  for (State& at : states_) {
    at.target_t = -at.t;
    at.target_h = -at.h;
  }
  target_ball_ = -mu_ * slack_;
  ball_correction_ = 0.0;
}

void RiskBlock::target_corrector(double tau, bool second_order) {
  for (State& at : states_) {
    at.target_t = tau * at.centre_t - (at.t + (at.x + a_ * at.eps) * at.dt);
    if (ball_) {
      at.target_h = tau * at.centre_h - (at.h + at.x * at.dh);
    }
  }
  target_ball_ = tau * ball_weight_ - mu_ * slack_ - dmu_ * dslack_;
  // The ball curves: second-order term of KL along the predictor.
  ball_correction_ = second_order ? -0.5 * curvature_ : 0.0;
}

void RiskBlock::target_centre(double tau) {
  for (State& at : states_) {
    at.target_t = tau * at.centre_t - at.t;
    at.target_h = ball_ ? tau * at.centre_h - at.h : 0.0;
  }
  target_ball_ = tau * ball_weight_ - mu_ * slack_;
  ball_correction_ = 0.0;
}

/// Sets the trial values, trial_slack_, trial_residual_ and trial_descent_: where a step would
/// lead. g is to follow its linear step while p grows, and p while p shrinks: the plain ratio of
/// the two linear steps would blow e up in states whose p nearly vanishes.
void RiskBlock::try_step(double step) {
  double entropy = 0.0;
  double residual = 0.0;
  double descent = 0.0;
  const double mu = mu_ + step * dmu_;
  const double curvature = ball_ ? 1.0 / mu_ : 0.0;
  const double curvature_there = ball_ ? 1.0 / mu : 0.0;
  for (Eigen::Index i = 0; i < count_; ++i) {
    State& at = states_[static_cast<std::size_t>(i)];
    const double growth = 1.0 + step * at.x;
    const double p_new = p[i] * growth;
    at.change = step * at.eps / std::max(1.0, growth);
    const double growth_e = 1.0 + a_ * at.change;
    const double de = std::log1p(a_ * at.change) * inverse_a_;
    at.trial_e = at.e + de;
    const double r1 = at.r1 + step * ((*dloss_)[i] - dc_ + at.dt) - (at.trial_e - at.e);
    residual += p_new * at.gamma * growth_e * money(r1, a_);
    descent += g[i] * money(r1, a_);
    if (ball_) {
      const double m = at.m + std::log1p(step * at.x);
      at.trial_m = m;
      entropy += at.q * (std::abs(m) < kEntropySeries ? entropy_series(m)
                                                      : at.ratio * growth * (m - 1.0) + 1.0);
      const double r2 =
          at.r2 + step * (at.dh - dkappa_) + at.gamma * at.change - (mu * m - mu_ * at.m);
      residual += p_new * money(r2, curvature_there);
      descent += p[i] * money(r2, curvature);
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
    const double linear_slack = slack_ + step * dslack_;
    const bool inside = !ball_ || (trial_slack_ > 0.0 &&
                                   trial_slack_ >= kBallFraction * std::min(slack_, linear_slack));
    const bool accurate = trial_residual_ <= kResidualShare * tau ||
                          trial_descent_ <= (1.0 - kDecrease * step) * weighted_residual_;
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
  for (State& at : states_) {
    at.t += step * at.dt;
    at.h += step * at.dh;
    if (!simplex_) {
      at.e = at.trial_e;
      at.phi += at.gamma * at.change;
      at.gamma *= 1.0 + a_ * at.change;
    }
    if (ball_) {
      at.m = at.trial_m;
    }
    at.excess += at.ratio * (step * at.x);
    at.ratio *= 1.0 + step * at.x;
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
  double mass_p = 0.0;
  double mass_g = 0.0;
  double mean_e = 0.0;
  double mean_phi = 0.0;
  for (Eigen::Index i = 0; i < count_; ++i) {
    const State& at = states_[static_cast<std::size_t>(i)];
    mass_p += p[i];
    mass_g += g[i];
    mean_e += g[i] * at.e;
    mean_phi += p[i] * at.phi;
  }
  return mean_e / mass_g - scaled_log1p(a_, mean_phi / mass_p);
}

double RiskBlock::upper_bound(const Array& loss) const {
  double worst = loss[0];
  for (Eigen::Index i = 1; i < count_; ++i) {
    worst = std::max(worst, loss[i]);
  }
  if (simplex_) {
    return worst;
  }
  double bound = 0.0;
  if (ball_) {
    const double top = scaled_expm1(a_, worst - c_);
    const double inverse_mu = 1.0 / mu_;
    double excess = 0.0;
    for (Eigen::Index i = 0; i < count_; ++i) {
      excess += states_[static_cast<std::size_t>(i)].q *
                std::expm1((scaled_expm1(a_, loss[i] - c_) - top) * inverse_mu);
    }
    bound = top + mu_ * (market_.ambiguity + std::log1p(excess));
  } else {
    for (Eigen::Index i = 0; i < count_; ++i) {
      bound += states_[static_cast<std::size_t>(i)].q * scaled_expm1(a_, loss[i] - c_);
    }
  }
  return c_ + scaled_log1p(a_, bound);
}

double RiskBlock::ambiguity_price() const {
  return ball_ && slack_ > kSlackShare * market_.ambiguity ? 0.0 : mu_;
}

}  // namespace kpm
