#include "risk/knightian_maker.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/entropy.hpp"
#include "numerics/expm1.hpp"
#include "risk/idle_room.hpp"
#include "risk/ties.hpp"

namespace kpm {

namespace {

constexpr int kBisections = 200;
constexpr int kNewtonSteps = 6;  // from a digit or more to all of them

}  // namespace

KnightianFunction::KnightianFunction(const ArrayView& prior, Ambiguity kind, double risk_aversion,
                                     double ambiguity, Arena& arena)
    : MakerFunction(prior.size(), arena),
      kind_(kind),
      a_(risk_aversion),
      measure_(prior, risk_aversion, ambiguity, arena) {}

double KnightianFunction::evaluate(const ArrayView& loss) {
  const double rho = measure_.evaluate(loss);
  ambiguity_price_ = measure_.multiplier();
  if (kind_ == Ambiguity::kSimplex || ambiguity_price_ == 0.0) {
    p_ = measure_.worst_case() / measure_.worst_case().sum();
    g_ = p_;
  } else {
    measure_.support(loss, rho, p_, g_);
  }
  return rho;
}

void KnightianFunction::prepare_curvature() {
  curvature_.reset();
  if (ambiguity_price_ > 0.0) {
    curvature_.emplace(p_, g_, a_, ambiguity_price_);
  }
}

void KnightianFunction::root(const double* payoff, double* root) const {
  const Eigen::Index n = g_.size();
  std::fill(root, root + 2 * n, 0.0);
  if (curvature_) {
    curvature_->root_of_prices(payoff, root);
    if (curvature_->worst_case_moves()) {
      curvature_->root_of_worst_case(payoff, root + n);
    }
  }
}

double KnightianFunction::conjugate(const ArrayView& g, const ArrayView& p) const {
  return kind_ == Ambiguity::kSimplex ? 0.0 : relative_entropy_of(g, p) / a_;
}

Array KnightianFunction::idle_room(const PricedLosses& priced, const std::vector<int>& idle) const {
  return tilted_room(priced, idle, a_);
}

KnightianMaker::KnightianMaker(const ArrayView& prior, double risk_aversion, double ambiguity)
    : Maker(prior.size()),
      a_(risk_aversion),
      omega_(ambiguity),
      kind_(kind_of(prior, ambiguity)),
      prior_(prior),
      function_(prior, kind_, risk_aversion, ambiguity, arena_),
      whole_(prior.size(), arena_),
      kinked_(prior.size(), arena_),
      two_(Array::Constant(2, 0.5), 0.0, 0.0, arena_),
      change_(prior.size()),
      two_valued_(prior.size()),
      deviation_(Array::Zero(prior.size())),
      moved_(Array::Zero(prior.size())),
      utility_(Array::Zero(prior.size())),
      worst_(Array::Zero(prior.size())) {
  on_worst_.reserve(static_cast<std::size_t>(prior.size()));
  if (kind_ != Ambiguity::kNone) {
    whole_.set_ball(prior_ / prior_.sum(), omega_);
  }
  set_losses(deviation_);
}

/// The worst states S, and the ball on them.
void KnightianMaker::gather_worst_states(double rounding) {
  on_worst_.clear();
  double mass = 0.0;
  for (Eigen::Index i = 0; i < states(); ++i) {
    if (deviation_[i] >= -rounding) {
      deviation_[i] = 0.0;
      worst_[static_cast<Eigen::Index>(on_worst_.size())] = prior_[i];
      on_worst_.push_back(i);
      mass += prior_[i];
    }
  }
  const bool all = static_cast<Eigen::Index>(on_worst_.size()) == states();
  radius_ = all ? omega_ : omega_ + std::log(mass);
  worst_alone_ = kind_ != Ambiguity::kNone && radius_ >= 0.0;
  kink_ = worst_alone_ && radius_ > 0.0 && on_worst_.size() > 1;
  if (kink_) {
    const auto size = static_cast<Eigen::Index>(on_worst_.size());
    worst_.head(size) /= mass;
    kinked_.set_ball(worst_.head(size), radius_);
  }
  if (worst_alone_) {
    state_prices_.setZero();
    for (const Eigen::Index i : on_worst_) {
      state_prices_[i] = prior_[i] / mass;
    }
  }
}

double KnightianMaker::set_losses(const ArrayView& losses) {
  const double top = losses.maxCoeff();
  has_base_ = false;
  deviation_ = losses - top;
  gather_worst_states(exact_ties_ ? 0.0 : tie_width(losses));
  if (worst_alone_) {
    rho_ = 0.0;
    return top;
  }
  RiskMeasure& measure = function_.measure();
  rho_ = measure.evaluate(deviation_);
  // The measure states its multiplier in money; the tilt's is per unit of utility.
  const double inverse_mu =
      kind_ == Ambiguity::kNone ? 0.0 : std::exp(-a_ * rho_) / measure.multiplier();
  change_.set_base(deviation_, measure.worst_case(), a_, inverse_mu);
  state_prices_ = change_.state_prices();
  return top + rho_;
}

/// A claim's payoffs on S.
const double* KnightianMaker::on_worst_states(const double* payoff) {
  if (is_flat()) {
    return payoff;
  }
  for (std::size_t i = 0; i < on_worst_.size(); ++i) {
    worst_[static_cast<Eigen::Index>(i)] = payoff[on_worst_[i]];
  }
  return worst_.data();
}

double KnightianMaker::slope(const ArrayView& direction) {
  if (!kink_) {
    return dot(state_prices_.data(), direction.data(), states());
  }
  return kinked_.greatest(on_worst_states(direction.data()));
}

void KnightianMaker::marginal_quote(const double* payoff, double* bid, double* ask) {
  if (!kink_) {
    Maker::marginal_quote(payoff, bid, ask);
    return;
  }
  kinked_.bounds(on_worst_states(payoff), 1, bid, ask);
  *bid += 0.0;  // never -0
  *ask += 0.0;
}

void KnightianMaker::marginal_quotes(const double* payoffs, Eigen::Index rows, double* bid,
                                     double* ask) {
  if (!kink_ || !is_flat()) {
    Maker::marginal_quotes(payoffs, rows, bid, ask);
    return;
  }
  kinked_.bounds(payoffs, rows, bid, ask);
  for (Eigen::Index k = 0; k < rows; ++k) {
    bid[k] += 0.0;
    ask[k] += 0.0;
  }
}

/// rho of s shares at constant wealth, s < 0 for shares bought: the two outcomes' probabilities do
/// not depend on s.
double KnightianMaker::two_valued_cost(const TwoOutcomes& claim, double shares) const {
  const bool sold = shares > 0.0;
  const double best = shares * (sold ? claim.high : claim.low);  // what leaves the maker the least
  const double other = shares * (sold ? claim.low : claim.high);
  const double of_best = sold ? claim.most_of_high : claim.most_of_low;
  const double of_other = sold ? claim.rest_of_low : claim.rest_of_high;
  const double rise = a_ * (best - other);
  if (of_best <= of_other && rise <= 1.0) {  // from whichever end has the digits
    return other + std::log1p(of_best * std::expm1(rise)) / a_;
  }
  const double change = of_other * std::expm1(-rise);
  return best +
         (change > -0.5 ? std::log1p(change) : std::log(of_best + of_other * std::exp(-rise))) / a_;
}

/// rho of any losses is the greatest expectation of their utility over the ball. Where that leaves
/// no digits it is the risk measure's: an expectation is rounded as one is, its logarithm by what
/// that is of it: over alpha, little beside losses that spread far.
double KnightianMaker::risk_by_utility(const ArrayView& losses, double low, double high) {
  const double largest = a_ * (high - low);
  double lowest = 0.0;
  const bool small = largest <= kExpm1Series;
  state_sums().expm1(small, a_, high, &low, 1, &lowest);
  state_sums().expm1(small, a_, high, losses.data(), states(), utility_.data());
  const double excess = whole_.greatest_of_many(utility_.data(), lowest, 0.0);
  return (1.0 + excess) * std::max(1.0, largest) > 0.5 ? high + std::log1p(excess) / a_
                                                       : function_.measure().evaluate(losses);
}

double KnightianMaker::flat_cost(const ArrayView& change, double low, double high) {
  TwoOutcomes claim;
  return whole_.two_outcomes(change.data(), claim) ? two_valued_cost(claim, 1.0)
                                                   : risk_by_utility(change, low, high);
}

/// Blocks at constant wealth. The two outcomes' probabilities do not depend on the size.
bool KnightianMaker::flat_block_costs(const double* payoff, const double* shares,
                                      Eigen::Index sizes, double* down, double* up) {
  TwoOutcomes claim;
  if (whole_.two_outcomes(payoff, claim)) {
    for (Eigen::Index size = 0; size < sizes; ++size) {
      up[size] = two_valued_cost(claim, shares[size]);
      down[size] = -two_valued_cost(claim, -shares[size]);
    }
    return true;
  }
  if (claim.low == claim.high) {
    return false;
  }
  const Eigen::Map<const Array> payoffs(payoff, states());
  for (Eigen::Index size = 0; size < sizes; ++size) {
    const double scale = a_ * shares[size];
    const double low = shares[size] * claim.low;
    const double high = shares[size] * claim.high;
    const double largest = scale * (claim.high - claim.low);
    if (largest <= TiltChange::kLargest) {
      // The utilities above the lowest loss, and those below the highest of the opposite losses:
      // both from the same exponentials.
      double span = 0.0;
      const bool small = largest <= kExpm1Series;
      state_sums().expm1(small, scale, claim.low, &claim.high, 1, &span);
      state_sums().expm1(small, scale, claim.low, payoff, states(), utility_.data());
      up[size] = low + std::log1p(whole_.greatest_of_many(utility_.data(), 0.0, span)) / a_;
      utility_ /= -1.0 - utility_;
      span /= -1.0 - span;
      down[size] = low - std::log1p(whole_.greatest_of_many(utility_.data(), span, 0.0)) / a_;
      continue;
    }
    worst_ = shares[size] * payoffs;
    up[size] = risk_by_utility(worst_, low, high);
    worst_ = -worst_;
    down[size] = -risk_by_utility(worst_, -high, -low);
  }
  return true;
}

/// A block from a position whose worst case is a tilt. Both sides share the exponentials.
void KnightianMaker::block_by_states(const Eigen::Map<const Array>& payoffs, double low,
                                     double high, double shares, double* down, double* up) {
  low *= shares;
  high *= shares;
  if (low == high) {
    *up = *down = low;
    return;
  }
  worst_ = shares * payoffs;
  bool has_up = false;
  bool has_down = false;
  if (change_.covers(std::max(std::abs(low), std::abs(high)))) {
    change_.set_change(worst_, low, high);
    has_up = change_.evaluate(up, nullptr);
    change_.reverse();
    has_down = change_.evaluate(down, nullptr);
    *down = -*down;
  }
  if (!has_up) {
    *up = risk_of_change(worst_, nullptr) - rho_;
  }
  if (!has_down) {
    worst_ = -worst_;
    *down = rho_ - risk_of_change(worst_, nullptr);
  }
}

bool KnightianMaker::block_costs(const double* payoff, const double* shares, Eigen::Index sizes,
                                 double* down, double* up) {
  if (worst_alone_) {
    return kink_ && is_flat() && flat_block_costs(payoff, shares, sizes, down, up);
  }
  if (kind_ == Ambiguity::kSimplex) {
    return false;
  }
  if (kind_ == Ambiguity::kBall && !has_base_) {
    two_valued_.set_base(change_);
    has_base_ = true;
  }
  const Eigen::Map<const Array> claim(payoff, states());
  const bool by_series = kind_ == Ambiguity::kBall && two_valued_.set_claim(payoff);
  const double low = claim.minCoeff();
  const double high = claim.maxCoeff();
  for (Eigen::Index size = 0; size < sizes; ++size) {
    if (!by_series || !two_valued_.costs(shares[size], up + size, down + size)) {
      block_by_states(claim, low, high, shares[size], down + size, up + size);
    }
  }
  return true;
}

/// rho of deviations from the largest loss after a change, and a subgradient.
double KnightianMaker::risk_of_change(const ArrayView& change, Array* prices) {
  moved_ = deviation_ + change;
  if (prices == nullptr && kind_ == Ambiguity::kBall) {
    const double low = moved_.minCoeff();
    const double high = moved_.maxCoeff();
    return low < high ? risk_by_utility(moved_, low, high) : high;
  }
  if (prices == nullptr) {
    return function_.measure().evaluate(moved_);
  }
  const double rho = function_.evaluate(moved_);
  *prices = function_.g();
  return rho;
}

double KnightianMaker::increment(const ArrayView& change, Array* prices) {
  const double low = change.minCoeff();
  const double high = change.maxCoeff();
  if (low == high) {
    if (prices != nullptr) {
      *prices = state_prices_;
    }
    return low;
  }
  if (kind_ == Ambiguity::kSimplex || worst_alone_) {
    // rho(L) is the largest loss, exactly: no digits are lost by starting from it.
    if (kink_ && is_flat() && prices == nullptr) {
      return flat_cost(change, low, high);
    }
    return risk_of_change(change, prices);
  }
  if (change_.covers(std::max(std::abs(low), std::abs(high)))) {
    change_.set_change(change, low, high);
    double value = 0.0;
    if (change_.evaluate(&value, prices)) {
      return value;
    }
  }
  return risk_of_change(change, prices) - rho_;
}

/// The p of the ball with the least KL(g|p), g outside of it. Stationarity gives
///   p = g / (1 + y / s) with
///   y + ln(1 + y / s) = ln(g / q) - Omega,
/// and p = q e^{Omega - s} where g is zero. Both constraints hold where the p sum to one: one
/// equation in s > 0, the inverse multiplier, positive below the root and negative above.
const Array& KnightianMaker::closest_prior(const ArrayView& g) {
  Array& p = moved_;
  const auto excess = [&](double s) {
    double sum = 0.0;
    for (Eigen::Index i = 0; i < states(); ++i) {
      if (g[i] == 0.0) {
        p[i] = prior_[i] * std::exp(omega_ - s);
        sum += p[i];
        continue;
      }
      const double target = std::log(g[i] / prior_[i]) - omega_;
      // x + ln x = target + s + ln s with x = s + y; then a step in y, which has the digits.
      const double z = target + s + std::log(s);
      double u = z > 1.0 ? std::log(z - std::log(z)) : z;
      for (int k = 0; k < kNewtonSteps; ++k) {  // u + e^u = z, u = ln x: convex in u
        const double power = std::exp(u);
        u -= (u + power - z) / (1.0 + power);
      }
      const double x = std::exp(u);
      double y = x - s;
      double ratio = x / s;  // g / p = 1 + y / s, from whichever of x and y has the digits
      if (std::abs(y) < 0.5 * s) {
        y += (target - y - std::log1p(y / s)) * (s + y) / (s + y + 1.0);
        ratio = 1.0 + y / s;
      }
      p[i] = g[i] / ratio;
      sum -= p[i] * y / s;
    }
    return sum;
  };
  double low = -20.0;
  double high = 20.0;
  while (excess(std::exp(low)) < 0.0 && low > -650.0) {
    low -= 40.0;
  }
  while (excess(std::exp(high)) > 0.0 && high < 650.0) {
    high += 40.0;
  }
  for (int k = 0; k < kBisections && high - low > 1e-15 * std::max(std::abs(low), 1.0); ++k) {
    const double middle = 0.5 * (low + high);
    (excess(std::exp(middle)) > 0.0 ? low : high) = middle;
  }
  excess(std::exp(0.5 * (low + high)));
  p /= p.sum();
  return p;
}

double KnightianMaker::conjugate(const ArrayView& g) {
  if (kind_ == Ambiguity::kSimplex) {
    return 0.0;
  }
  if (kind_ == Ambiguity::kNone) {
    return function_.conjugate(g, prior_);
  }
  return relative_entropy_of(g, prior_) <= omega_ ? 0.0 : function_.conjugate(g, closest_prior(g));
}

/// -ln p / alpha with p the greatest probability of the state: the upper root of
/// p ln(p/q) + (1-p) ln((1-p)/(1-q)) = Omega.
double KnightianMaker::conjugate_at_vertex(Eigen::Index state) {
  const double q = prior_[state];
  if (kind_ == Ambiguity::kNone) {
    return -std::log(q) / a_;
  }
  if (omega_ >= -std::log(q)) {
    return 0.0;
  }
  two_.set_ball(Eigen::Array2d(1.0 - q, q), omega_);
  two_.evaluate(Eigen::Array2d(0.0, 1.0));
  return -std::log1p(-two_.worst_case()[0] / two_.worst_case().sum()) / a_;
}

}  // namespace kpm
