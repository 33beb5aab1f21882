#include "search/tree/tangent_bound.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "numerics/inner_products.hpp"

namespace kpm {

namespace {

constexpr double kRegular = 1e-10;    // added to the variances of payoffs, which lie in [0, 1],
constexpr double kAboveRounding = 8;  // and so many times what rounding may have done to them
constexpr double kUnasked = -1.0;     // a variance that takes a system of equations
constexpr double kLeastLeft = 1e-12;  // nats that rounding cannot have left

}  // namespace

TangentBound::TangentBound(const ScaledMarket& market, const std::vector<Corners>& corners,
                           Arena& arena, const CellOptimum* near)
    : market_(market),
      corners_(corners),
      measure_(market, arena),
      demand_(arena.array(market.claims())),
      loss_(arena.array(market.states())),
      multipliers_(market),
      factor_(market.claims(), arena),
      column_(arena.array(market.claims())),
      variance_(arena.array(market.claims())) {
  moving_.reserve(static_cast<std::size_t>(market.claims()));
  if (near != nullptr && near->risk < kInfinity) {
    rho_ = near->risk;
    multiplier_ = near->ambiguity_price;
  }
}

bool TangentBound::support(const ArrayView& demand, const ArrayView& lambda) {
  if (market_.kind == Ambiguity::kSimplex) {
    return false;
  }
  lean_ = 0.0;
  set_demand(demand);
  // Calls are for neighbouring demands: the last answer is a good start.
  rho_ = measure_.evaluate(loss_, rho_, multiplier_);
  multiplier_ = measure_.multiplier();
  if (market_.kind == Ambiguity::kBall && !(multiplier_ > 0.0)) {
    return false;
  }
  Slice worst = multipliers_.worst_case();
  Slice marginal = multipliers_.marginal_state_prices();
  measure_.support(loss_, rho_, worst, marginal);
  multipliers_.lambda() = lambda;
  multipliers_.set(market_, (marginal * (loss_ - rho_)).sum());
  return true;
}

void TangentBound::set_demand(const ArrayView& demand) {
  demand_ = demand;
  loss_ = -market_.inventory;
  for (int k = 0; k < market_.claims(); ++k) {
    if (demand[k] != 0.0) {
      loss_ += demand[k] * market_.payoffs.row(k).transpose().array();
    }
  }
}

bool TangentBound::support_inside(const ArrayView& demand, const ArrayView& marginal_state_prices,
                                  const ArrayView& lambda) {
  if (market_.kind == Ambiguity::kNone) {
    return false;
  }
  const ArrayView& g = marginal_state_prices;
  double least = 1.0;
  double nats = 0.0;
  double squares = 0.0;
  for (Eigen::Index i = 0; i < g.size(); ++i) {
    if (g[i] > 0.0) {
      const double log = std::log(g[i] / market_.prior[i]);
      least = std::min(least, g[i]);
      nats += g[i] * log;
      squares += g[i] * log * log;
    }
  }
  lean_ = std::sqrt(least);
  if (market_.kind == Ambiguity::kBall) {
    const double left = market_.ambiguity - nats;
    if (!(left > kLeastLeft * (1.0 + market_.ambiguity))) {
      return false;
    }
    const double deviation = std::sqrt(std::max(squares - nats * nats, 0.0));
    const double root = std::sqrt(deviation * deviation + 4.0 * left);
    lean_ = std::min(lean_, 2.0 * left / (root + deviation));
  }
  set_demand(demand);
  const double mean = (g * loss_).sum();
  spread_ = std::sqrt((g * (loss_ - mean).square()).sum());
  multipliers_.worst_case() = multipliers_.marginal_state_prices() = g;
  multipliers_.lambda() = lambda;
  multipliers_.set(market_, 0.0);
  return true;
}

bool TangentBound::rules_out(const Box& box, const ArrayView& demand, const ArrayView& lambda,
                             double threshold) {
  Array moved = demand;
  bool far = false;
  for (Eigen::Index k = 0; k < moved.size(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const LargeArray<double>& ends = corners_[at].demand;
    moved[k] = std::clamp(moved[k], ends[static_cast<std::size_t>(box.last[at]) + 1],
                          ends[static_cast<std::size_t>(box.first[at])]);
    far |= moved[k] != demand[k];
  }
  return far && support(moved, lambda) && bound(box) < threshold;
}

void TangentBound::set_box(const Box& box, double wobble) {
  moving_.clear();
  variance_.setZero();
  wobble_ = wobble;
  reach_ = 2.0 * wobble;
  double squares = 0.0;
  for (int k = 0; k < market_.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const LargeArray<double>& ends = corners_[at].demand;
    const double farthest = std::max(ends[static_cast<std::size_t>(box.first[at])] - demand_[k],
                                     demand_[k] - ends[static_cast<std::size_t>(box.last[at]) + 1]);
    if (farthest > 0.0) {
      moving_.push_back(k);
      variance_[k] = kUnasked;
      reach_ += farthest;
      squares += farthest * farthest;
    }
  }
  const auto size = static_cast<Eigen::Index>(moving_.size());
  const Slice g = multipliers_.marginal_state_prices();
  const Slice value = multipliers_.value();
  centred_.resize(size, market_.states());
  for (Eigen::Index j = 0; j < size; ++j) {
    const int k = moving_[static_cast<std::size_t>(j)];
    centred_.row(j) = ((market_.payoffs.row(k).transpose().array() - value[k]) * g.sqrt()).matrix();
  }
  covariance_ = Matrix::Zero(size, size);
  add_gram(centred_, covariance_);
  // Sums, factor and solutions are those of a covariance off by no more than this in any direction:
  // each is off by so many roundings of products, and the factor's squares add up to the variances.
  constexpr double kRounding = 0.5 * std::numeric_limits<double>::epsilon();
  const double roundings = static_cast<double>(market_.states() + 3 * size + 16);
  const double off = roundings * kRounding * covariance_.trace();
  regular_ = std::max(kRegular, kAboveRounding * off);
  trusted_ = 1.0 - 2.0 * off / regular_;
  lost_ = regular_ * squares;
  covariance_.diagonal().array() += regular_;
  factor_.compute(covariance_, 0.0);
}

double TangentBound::variance(int claim) {
  double& least = variance_[claim];
  if (least < 0.0) {
    const auto j = std::lower_bound(moving_.begin(), moving_.end(), claim) - moving_.begin();
    column_.setZero();
    column_[j] = 1.0;
    factor_.solve_in_place(column_.data());
    least = column_[j] > 0.0 ? trusted_ / column_[j] : 0.0;
  }
  return least;
}

double TangentBound::rise(int claim, double distance) {
  double least = distance * distance * variance(claim) - lost_;
  if (wobble_ > 0.0 && least > 0.0) {
    const double deviation = std::max(0.0, std::sqrt(least) - wobble_);
    least = deviation * deviation;
  }
  if (!(least > 0.0)) {
    return 0.0;
  }
  if (lean_ > 0.0) {
    return std::max(0.0, lean_ * (std::sqrt(least) - spread_));
  }
  const double a = market_.risk_aversion;
  return std::log1p(a * least / (2.0 / a + reach_)) / a;
}

double TangentBound::farthest(int claim, double shortfall) {
  // With C the covariance and D = C + d I, y_k^2 <= y'D y / (1 / D^-1_kk), and y'D y is the
  // variance and d |y|^2. Summed over the claims: where d is small next to all of them, |y|^2 is at
  // most twice the variance times their sum.
  double sum = 0.0;
  for (const int k : moving_) {
    sum += 1.0 / variance(k);
  }
  if (!(lean_ > 0.0) || !(regular_ * sum <= 0.5)) {
    return kInfinity;
  }
  return (shortfall / lean_ + spread_) * std::sqrt(2.0 / variance(claim));
}

}  // namespace kpm
