#include "prices/nearest_prices.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace kpm {

namespace {

constexpr double kTie = 1e-11;       // revenue per unit of price below which states earn alike
constexpr double kPositive = 1e-12;  // a state price this large can be positive
constexpr double kFixed = 1e-13;     // a price range this narrow is a point
constexpr double kImplied = 1e-12;   // ... and so is one of which this little can be reached
constexpr double kFirstBarrier = 0.1;
constexpr double kLastBarrier = 1e-9;
constexpr double kBarrierFactor = 0.1;
constexpr double kRounding = 1e-15;  // residual of a price that rounding alone explains
constexpr double kReached = 1e-12;   // claim prices are at least this close to their ranges
constexpr int kNewtonSteps = 60;
constexpr int kActiveSets = 20;

/// A price in a range of the given width under the barrier tau: distance h from the low end with
/// tau / h - tau / (width - h) = multiplier, in the form that does not cancel.
double barrier_distance(double tau, double width, double multiplier) {
  const double size = std::abs(multiplier);
  const double near =
      2.0 * tau * width / (size * width + 2.0 * tau + std::hypot(size * width, 2.0 * tau));
  return multiplier >= 0.0 ? near : width - near;
}

/// How many times too far the exponents move: a state's weight may change by a factor of e^2, or
/// rise from nothing to a share worth mentioning. What falls from nothing does not matter.
double exponent_reach(const Array& weights, const Array& moved) {
  constexpr double kFactor = 2.0;
  constexpr double kMention = 1e-2;
  double reach = 0.0;
  for (Eigen::Index i = 0; i < weights.size(); ++i) {
    const bool counts = weights[i] > kMention;
    if (moved[i] > 0.0) {
      const double room = counts ? 0.0 : std::log(kMention / std::max(weights[i], 1e-300));
      reach = std::max(reach, moved[i] / (kFactor + room));
    } else if (counts) {
      reach = std::max(reach, -moved[i] / kFactor);
    }
  }
  return reach;
}

}  // namespace

NearestPrices::NearestPrices(const ScaledMarket& market)
    : market_(market), simplex_(market), xi_(market.prior) {}

bool NearestPrices::solve(const Array& price_low, const Array& price_high,
                          const Array& flat_demand) {
  simplex_.reset();
  for (int k = 0; k < market_.claims(); ++k) {
    simplex_.set_range(k, price_low[k], price_high[k]);
  }
  if (!simplex_.feasible()) {
    xi_ = market_.prior;
    divergence_ = 0.0;
    nearest_ = false;
    return false;
  }
  const Array no_weight = Array::Zero(market_.states());
  revenue_ = simplex_.maximise(flat_demand, no_weight);
  simplex_.restrict_to_optimal_face(kTie);
  find_support();
  find_ranges();
  project();
  const auto meets = [&](int k) {
    return std::pair{std::max(price_low[k], low_[k]), std::min(price_high[k], high_[k])};
  };
  nearest_ = reached(xi_, meets);
  if (!nearest_) {
    xi_ = inside_ / inside_.sum();
  }
  measure();
  return true;
}

/// Whether state prices make every claim's price what it may be.
template <class RangeOf>
bool NearestPrices::reached(const Array& state_prices, RangeOf&& range_of) const {
  for (int k = 0; k < market_.claims(); ++k) {
    const double price = market_.payoffs.row(k).dot(state_prices.matrix());
    const auto [low, high] = range_of(k);
    if (!(price >= low - kReached && price <= high + kReached)) {  // nor a NaN
      return false;
    }
  }
  return true;
}

void NearestPrices::measure() {
  divergence_ = 0.0;
  for (Eigen::Index i = 0; i < xi_.size(); ++i) {
    divergence_ += xi_[i] > 0.0 ? xi_[i] * std::log(xi_[i] / market_.prior[i]) : 0.0;
  }
}

/// States whose price is positive somewhere on the face, hence at the projection: KL has an
/// infinite slope at zero.
void NearestPrices::find_support() {
  const int n = market_.states();
  const Array no_weight = Array::Zero(market_.claims());
  Array open = Array::Ones(n);
  inside_.setZero(n);
  Array vertex(n);
  const auto range = [this](int k) {
    return std::pair{simplex_.range_low(k), simplex_.range_high(k)};
  };
  const auto note = [&] {
    for (int i = 0; i < n; ++i) {
      vertex[i] = std::max(simplex_.state_price(i), 0.0);
    }
    if (reached(vertex, range)) {  // a tableau full of tiny pivots may say otherwise
      inside_ += vertex;
    }
    bool progress = false;
    for (int i = 0; i < n; ++i) {
      if (open[i] > 0.0 && simplex_.state_price(i) > kPositive) {
        open[i] = 0.0;
        progress = true;
      }
    }
    return progress;
  };
  note();
  while (open.maxCoeff() > 0.0 && simplex_.maximise(no_weight, open) > kPositive && note()) {
  }
  if (inside_.sum() == 0.0) {
    inside_ = vertex;
  }
  support_.clear();
  for (int i = 0; i < n; ++i) {
    if (open[i] == 0.0) {
      support_.push_back(i);
    }
  }
}

/// What each price can be on the face. A price that the others imply, or that only one end of its
/// range allows, becomes a point: the barrier needs ranges with an inside. A range that the others
/// imply is no constraint, and its barrier might be felt far beyond the prices in reach. Where only
/// a sliver of a range is in reach, its barrier counts as little: pushed away from the end by more
/// than there is room, multipliers would be as many times too large.
void NearestPrices::find_ranges() {
  const int claims = market_.claims();
  const Array no_weight = Array::Zero(market_.states());
  Array weight = Array::Zero(claims);
  low_.resize(claims);
  high_.resize(claims);
  room_ = Array::Ones(claims);
  for (int k = 0; k < claims; ++k) {
    const double low = simplex_.range_low(k);
    const double high = simplex_.range_high(k);
    low_[k] = low;
    high_[k] = high;
    if (high - low <= kFixed) {
      continue;
    }
    simplex_.set_range(k, 0.0, 1.0);
    simplex_.feasible();  // it was, in less room
    weight[k] = 1.0;
    const double most = simplex_.maximise(weight, no_weight);
    weight[k] = -1.0;
    const double least = -simplex_.maximise(weight, no_weight);
    weight[k] = 0.0;
    const bool implied = least >= low - kFixed && most <= high + kFixed;
    if (!implied) {
      simplex_.set_range(k, low, high);
      simplex_.feasible();
    }
    const double lowest = std::max(least, low);
    const double highest = std::min(most, high);
    if (highest - lowest <= kImplied) {
      // At an end of the range the limit itself is the price, without the simplex's rounding.
      const double price = 0.5 * (lowest + highest);
      const bool at_low = price - low <= kImplied;
      const bool at_high = high - price <= kImplied;
      low_[k] = high_[k] = at_low ? low : at_high ? high : price;
    } else if (implied) {
      low_[k] = -kInfinity;
      high_[k] = kInfinity;
    } else {
      room_[k] = highest - lowest;
    }
  }
}

/// Maximise the concave dual  -ln sum q e^{P' lambda} + sum of the targets' conjugates: claim k's
/// price shall meet its target; claims without one keep their multiplier.
template <class TargetOf>
void NearestPrices::newton(double tau, TargetOf&& target_of) {
  const int claims = market_.claims();
  const auto size = prior_.size();
  Array weights(size);
  Array curvature(claims);
  Matrix centred(claims, size);
  Matrix hessian(claims, claims);
  Vector step(claims);
  SemidefiniteCholesky factor;
  factor.reserve(claims);
  price_.resize(claims);
  double residual = kInfinity;
  for (int iteration = 0; iteration < kNewtonSteps; ++iteration) {
    weights = (payoffs_.transpose() * lambda_.matrix()).array();
    weights = prior_ * (weights - weights.maxCoeff()).exp();
    weights /= weights.sum();
    price_ = (payoffs_ * weights.matrix()).array();
    centred = payoffs_.colwise() - price_.matrix();
    for (int k = 0; k < claims; ++k) {
      Target target;
      if (target_of(k, target)) {
        step[k] = target.price - price_[k];
        curvature[k] = target.curvature;
      } else {
        step[k] = 0.0;
        curvature[k] = 0.0;
        centred.row(k).setZero();
      }
      // A claim that pays the same in every supported state has one price whatever its multiplier.
      if (centred.row(k).cwiseAbs().maxCoeff() < kFixed) {
        centred.row(k).setZero();
      }
    }
    const double largest = claims > 0 ? step.cwiseAbs().maxCoeff() : 0.0;
    if (largest <= kRounding || (largest < 100.0 * kRounding && largest >= 0.5 * residual)) {
      return;
    }
    residual = largest;
    hessian.noalias() = centred * weights.matrix().asDiagonal() * centred.transpose();
    hessian.diagonal() += curvature.matrix();
    factor.compute(hessian);
    factor.solve_in_place(step);
    // Log-sum-exp is well approximated while no exponent that counts moves by much more than one,
    // the barrier, self-concordant once divided by tau, while its decrement is below one.
    const Array moved = (payoffs_.transpose() * step).array();
    const double reach = exponent_reach(weights, moved - (weights * moved).sum());
    const double decrement = std::sqrt((curvature * step.array().square() / room_).sum() / tau);
    const double damping = decrement > 0.5 ? 1.0 / (1.0 + decrement) : 1.0;
    lambda_ += step.array() * std::min(damping, 1.0 / std::max(reach, 1e-300));
  }
}

void NearestPrices::project() {
  const auto size = static_cast<Eigen::Index>(support_.size());
  const int claims = market_.claims();
  prior_.resize(size);
  payoffs_.resize(claims, size);
  for (Eigen::Index i = 0; i < size; ++i) {
    prior_[i] = market_.prior[support_[static_cast<std::size_t>(i)]];
    payoffs_.col(i) = market_.payoffs.col(support_[static_cast<std::size_t>(i)]);
  }
  prior_ /= prior_.sum();
  lambda_ = Array::Zero(claims);
  const Array width = high_ - low_;
  if ((width > kFixed && width < kInfinity).any()) {
    for (double tau = kFirstBarrier; tau >= kLastBarrier; tau *= kBarrierFactor) {
      newton(tau, [&](int k, Target& target) { return barrier_target(k, tau, target); });
    }
  }
  polish();
  const Array exponent = (payoffs_.transpose() * lambda_.matrix()).array();
  Array weights = prior_ * (exponent - exponent.maxCoeff()).exp();
  weights /= weights.sum();
  xi_.setZero();
  for (Eigen::Index i = 0; i < size; ++i) {
    xi_[support_[static_cast<std::size_t>(i)]] = weights[i];
  }
}

/// The price claim k's range asks for under the barrier tau.
bool NearestPrices::barrier_target(int k, double tau, Target& target) const {
  const double width = high_[k] - low_[k];
  if (width <= kFixed) {
    target = {0.5 * (low_[k] + high_[k]), 0.0};
    return true;
  }
  if (std::isinf(width)) {
    return false;
  }
  tau *= room_[k];
  const double near = barrier_distance(tau, width, lambda_[k]);
  const double far = barrier_distance(tau, width, -lambda_[k]);
  target.price = near < far ? low_[k] + near : high_[k] - far;
  target.curvature = 1.0 / (tau / (near * near) + tau / (far * far));
  return true;
}

/// The barrier tells which ends of ranges bind; Newton's method with those as equalities then
/// leaves nothing but rounding.
void NearestPrices::polish() {
  const int claims = market_.claims();
  std::vector<int> end(static_cast<std::size_t>(claims), 0);  // -1 low, +1 high, 0 free
  for (int k = 0; k < claims; ++k) {
    const double width = high_[k] - low_[k];
    if (width > kFixed && !std::isinf(width)) {
      const double near = barrier_distance(kLastBarrier * room_[k], width, lambda_[k]);
      const double far = barrier_distance(kLastBarrier * room_[k], width, -lambda_[k]);
      end[static_cast<std::size_t>(k)] = lambda_[k] > near ? -1 : -lambda_[k] > far ? 1 : 0;
    }
  }
  const Array barrier = lambda_;
  for (int attempt = 0; attempt < kActiveSets; ++attempt) {
    lambda_ = barrier;  // ends that do not bind have sent the last attempt's astray
    for (int k = 0; k < claims; ++k) {
      if (high_[k] - low_[k] > kFixed && end[static_cast<std::size_t>(k)] == 0) {
        lambda_[k] = 0.0;
      }
    }
    newton(1.0, [&](int k, Target& target) {
      const int side = end[static_cast<std::size_t>(k)];
      if (high_[k] - low_[k] > kFixed && side == 0) {
        return false;
      }
      target = {side < 0 ? low_[k] : side > 0 ? high_[k] : 0.5 * (low_[k] + high_[k]), 0.0};
      return true;
    });
    bool settled = true;
    for (int k = 0; k < claims; ++k) {
      int& side = end[static_cast<std::size_t>(k)];
      if (high_[k] - low_[k] <= kFixed) {
        continue;
      }
      const double slack = 10.0 * kRounding;
      if (side == 0 && (price_[k] < low_[k] - slack || price_[k] > high_[k] + slack)) {
        side = price_[k] < low_[k] ? -1 : 1;
        settled = false;
      } else if (side != 0 && side * lambda_[k] > 0.0) {
        side = 0;  // the range pushes the wrong way
        settled = false;
      }
    }
    if (settled) {
      break;
    }
  }
}

}  // namespace kpm
