#include "mechanisms/competitive/maker_function.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/entropy.hpp"

namespace kpm {

namespace {

constexpr int kNewtonSteps = 200;  // monotone from one side: mostly six
constexpr double kExact = 2e-16;
constexpr double kSmallest = -600.0;  // a logarithm: next to nothing, but its inverse is a number
constexpr double kSpent = 1e-3;       // of the wealth left: the rest has more digits than the whole

/// ln((u + below) / unit) for u + below = unit + over, without the cancellation next to one.
double log_of(double sum, double over, double unit) {
  const double ratio = over / unit;
  return std::abs(ratio) < 0.5 ? std::log1p(ratio) : std::log(sum / unit);
}

}  // namespace

double certainty_equivalent(const ScaledMaker& maker, int v, double a, const ArrayView& loss,
                            double* gradient) {
  double worst = -kInfinity;
  for (Eigen::Index i = 0; i < loss.size(); ++i) {
    if (maker.priors(v, i) > 0.0) {
      worst = std::max(worst, loss[i]);
    }
  }
  double mean = 0.0;
  double mass = 0.0;
  double utility = 0.0;
  for (Eigen::Index i = 0; i < loss.size(); ++i) {
    const double p = maker.priors(v, i);
    const double deviation = loss[i] - worst;
    if (p == 0.0) {
      gradient[i] = 0.0;
      continue;
    }
    const Power power = power_of(a * deviation);
    mass += p;
    mean += p * (a > 0.0 ? power.excess / a : deviation);
    gradient[i] = p * power.value;
    utility += gradient[i];
  }
  for (Eigen::Index i = 0; i < loss.size(); ++i) {
    gradient[i] /= utility;
  }
  mean /= mass;
  utility /= mass;
  return worst + (a * mean <= -0.5 ? std::log(utility) / a : scaled_log1p(a, mean));
}

MakerFunction::MakerFunction(const ScaledMarket& market, const ScaledMaker& maker, Arena& arena)
    : market_(market),
      maker_(maker),
      measure_(market, arena),
      g_(arena.array(market.states())),
      p_(arena.array(market.states())),
      below_(arena.array(market.states())),
      loss_(arena.array(market.states())) {}

double MakerFunction::evaluate(const ArrayView& loss) {
  ambiguity_price_ = 0.0;
  loss_ = loss;
  if (maker_.kind == MakerKind::kKnightian) {
    return knightian(loss);
  }
  double value = 0.0;
  switch (maker_.kind) {
    case MakerKind::kStartingOrders:
      value = barrier(loss);
      break;
    case MakerKind::kUtility:
      value = utility(loss);
      break;
    case MakerKind::kQuadratic:
      value = quadratic(loss);
      break;
    case MakerKind::kPolytope:
      return polytope(loss);
    default: {
      value = loss.maxCoeff();
      double count = 0.0;
      for (Eigen::Index i = 0; i < g_.size(); ++i) {
        g_[i] = loss[i] == value ? 1.0 : 0.0;
        count += g_[i];
      }
      g_ /= count;
    }
  }
  const bool believes = maker_.kind == MakerKind::kUtility || maker_.kind == MakerKind::kQuadratic;
  for (Eigen::Index i = 0; i < g_.size(); ++i) {
    p_[i] = believes ? maker_.prior[i] : g_[i];
  }
  return value;
}

double MakerFunction::knightian(const ArrayView& loss) {
  const double rho = measure_.evaluate(loss);
  p_ = measure_.worst_case() / measure_.worst_case().sum();
  ambiguity_price_ = measure_.multiplier();
  if (market_.kind == Ambiguity::kSimplex || ambiguity_price_ == 0.0) {
    g_ = p_;
  } else {
    g_ = p_ * (market_.risk_aversion * (loss - rho)).exp();
    g_ /= g_.sum();
  }
  return rho;
}

/// min over t of t - sum delta ln(t - L), less its value at L = 0.
double MakerFunction::barrier(const ArrayView& loss) {
  const double worst = loss.maxCoeff();
  const double total = maker_.total;
  below_ = worst - loss;
  // u = t - max L: sum delta / (u + below) falls and is convex; Newton from below never passes.
  double u = 0.0;
  for (Eigen::Index i = 0; i < g_.size(); ++i) {
    u = std::max(u, total * maker_.prior[i] - below_[i]);
  }
  for (int step = 0; step < kNewtonSteps; ++step) {
    double sum = 0.0;
    double slope = 0.0;
    for (Eigen::Index i = 0; i < g_.size(); ++i) {
      const double share = total * maker_.prior[i] / (u + below_[i]);
      sum += share;
      slope += share / (u + below_[i]);
    }
    // On 1 / sum - 1, which is concave and nearly linear: as monotone, and faster far away.
    const double change = (sum - 1.0) * sum / slope;
    u += change;
    if (std::abs(change) <= kExact * u) {
      break;
    }
  }
  const double over = u + worst - total;  // t = total + over
  double value = over;
  double mass = 0.0;
  for (Eigen::Index i = 0; i < g_.size(); ++i) {
    const double slack = u + below_[i];
    value -= total * maker_.prior[i] * log_of(slack, over - loss[i], total);
    g_[i] = maker_.prior[i] / slack;
    mass += g_[i];
  }
  g_ /= mass;
  return value;
}

/// The root C of sum pi ln(m + C - L) = ln m.
double MakerFunction::utility(const ArrayView& loss) {
  const double worst = loss.maxCoeff();
  const double wealth = maker_.wealth;
  below_ = worst - loss;
  // x = ln(m + C - max L): sum pi ln(e^x + below) rises and is convex; Newton from above.
  double x = std::log(wealth);
  double u = wealth;
  for (int step = 0; step < kNewtonSteps; ++step) {
    double sum = 0.0;
    double slope = 0.0;
    for (Eigen::Index i = 0; i < g_.size(); ++i) {
      sum += maker_.prior[i] * std::log((u + below_[i]) / wealth);
      slope += maker_.prior[i] * (u / (u + below_[i]));
    }
    const double change = sum / slope;
    x = std::max(x - change, kSmallest);
    u = std::exp(x);
    if (std::abs(change) <= 1e-9 || x == kSmallest) {
      break;
    }
  }
  // The last digits in C itself: they are small next to m where m is large. Beside losses that are
  // far larger C has no such digits.
  double cost = u + worst - wealth;
  const bool rich = wealth > kSpent * loss.abs().maxCoeff();
  const int steps = rich && u > kSpent * wealth ? 4 : 0;
  for (int step = 0; step < steps; ++step) {
    double sum = 0.0;
    double slope = 0.0;
    for (Eigen::Index i = 0; i < g_.size(); ++i) {
      const double slack = (cost - worst) + wealth + below_[i];
      sum += maker_.prior[i] * log_of(slack, cost - loss[i], wealth);
      slope += maker_.prior[i] / slack;
    }
    const double change = sum / slope;
    cost -= change;
    if (std::abs(change) <= kExact * std::abs(cost)) {
      break;
    }
  }
  double mass = 0.0;
  least_slack_ = steps > 0 ? (cost - worst) + wealth : u;
  for (Eigen::Index i = 0; i < g_.size(); ++i) {
    g_[i] = maker_.prior[i] / (least_slack_ + below_[i]);
    mass += g_[i];
  }
  g_ /= mass;
  return cost;
}

double MakerFunction::quadratic(const ArrayView& loss) {
  // g_i = (pi_i + L_i / 2c - level)_+: those above the level are the largest.
  const double worst = loss.maxCoeff();
  const double twice = 2.0 * maker_.curvature;
  const Eigen::Index n = g_.size();
  for (Eigen::Index i = 0; i < n; ++i) {
    below_[i] = twice * maker_.prior[i] + (loss[i] - worst);
  }
  g_ = below_;
  std::sort(g_.data(), g_.data() + n, [](double a, double b) { return a > b; });
  double sum = 0.0;
  double level = 0.0;
  for (Eigen::Index i = 0; i < n; ++i) {
    sum += g_[i];
    const double candidate = (sum - twice) / static_cast<double>(i + 1);
    if (g_[i] <= candidate) {
      break;
    }
    level = candidate;
  }
  g_ = (below_ - level).max(0.0) / twice;
  g_ /= g_.sum();
  double value = 0.0;
  for (Eigen::Index i = 0; i < n; ++i) {
    const double off = g_[i] - maker_.prior[i];
    value += g_[i] * (loss[i] - worst) - maker_.curvature * off * off;
  }
  return worst + value;
}

double MakerFunction::polytope(const ArrayView& loss) {
  double value = -kInfinity;
  int best = 0;
  for (int v = 0; v < static_cast<int>(maker_.priors.rows()); ++v) {
    const double cost = certainty_equivalent(maker_, v, maker_.risk_aversion, loss, p_.data());
    if (!(cost <= value)) {
      value = cost;
      best = v;
    }
    if (std::isnan(value)) {
      break;  // what is not a number stays none
    }
  }
  certainty_equivalent(maker_, best, maker_.risk_aversion, loss, g_.data());
  p_ = maker_.priors.row(best).transpose().array();
  return value;
}

/// For makers whose conjugate is a sum over states, g_i = f_i(t - L_i) with slopes -flow_i: t moves
/// by the flows' mean. A worst case p is tilted by phi = (e^{a (L - max L)} - 1) / a, to the
/// radius:
///   dg = a (diag g - gg') dL + (p / mu) (u dL - E_p u dL - (phi - E_p phi) cov / var) u / U^2
/// with u = 1 + a phi, U = E_p u, mu the price of the radius.
void MakerFunction::prepare_curvature() {
  const Eigen::Index n = g_.size();
  const double a =
      maker_.kind == MakerKind::kKnightian ? market_.risk_aversion : maker_.risk_aversion;
  centre_ = g_;
  worst_flow_.setZero(0);
  switch (maker_.kind) {
    case MakerKind::kKnightian:
      flow_ = a * g_;
      if (ambiguity_price_ == 0.0) {  // the worst states' prices are not moved by losses
        flow_.setZero();
      } else if (market_.kind == Ambiguity::kBall) {
        const double worst = loss_.maxCoeff();
        worth_.resize(n);
        spread_.resize(n);
        for (Eigen::Index i = 0; i < n; ++i) {
          const Power power = power_of(a * (loss_[i] - worst));
          worth_[i] = power.value;
          spread_[i] = power.excess / a;
        }
        spread_ -= (p_ * spread_).sum();
        const double utility = (p_ * worth_).sum();
        worst_flow_ = p_ / (ambiguity_price_ * utility * utility);
      }
      break;
    case MakerKind::kStartingOrders:
      flow_ = g_.square() / (maker_.total * maker_.prior);
      centre_ = flow_ / flow_.sum();
      break;
    case MakerKind::kUtility:  // g = W pi / slack
      flow_ = g_ / (below_ + least_slack_);
      break;
    case MakerKind::kQuadratic:
      flow_ = (g_ > 0.0).select(Array::Constant(n, 0.5 / maker_.curvature), 0.0);
      centre_ = flow_ / flow_.sum();
      break;
    case MakerKind::kPolytope:
      flow_ = a * g_;
      break;
    default:
      flow_ = Array::Zero(n);
  }
}

void MakerFunction::root(const double* payoff, double* root) const {
  const Eigen::Index n = g_.size();
  const Eigen::Map<const Array> x(payoff, n);
  Eigen::Map<Array> of_prices(root, n);
  Eigen::Map<Array> of_worst(root + n, n);
  of_prices = flow_.sqrt() * (x - (centre_ * x).sum());
  if (worst_flow_.size() == 0) {
    of_worst.setZero();
    return;
  }
  const Array value = worth_ * x;
  const Array off = value - (p_ * value).sum();
  const double variance = (p_ * spread_.square()).sum();
  const double tilt = variance > 0.0 ? (p_ * spread_ * off).sum() / variance : 0.0;
  of_worst = worst_flow_.sqrt() * (off - tilt * spread_);
}

double MakerFunction::conjugate(const ArrayView& g, const ArrayView& p) const {
  switch (maker_.kind) {
    case MakerKind::kKnightian:
      return market_.kind == Ambiguity::kSimplex
                 ? 0.0
                 : relative_entropy_of(g, p) / market_.risk_aversion;
    case MakerKind::kStartingOrders:
      return maker_.total * relative_entropy_of(maker_.prior, g);
    case MakerKind::kUtility:
      return -maker_.wealth * std::expm1(-relative_entropy_of(maker_.prior, g));
    case MakerKind::kQuadratic:
      return maker_.curvature * (g - maker_.prior).square().sum();
    case MakerKind::kPolytope:
      if (maker_.risk_aversion == 0.0) {
        return (g - p).abs().maxCoeff() <= 1e-14 ? 0.0 : kInfinity;
      }
      return relative_entropy_of(g, p) / maker_.risk_aversion;
    default:
      return 0.0;
  }
}

}  // namespace kpm
