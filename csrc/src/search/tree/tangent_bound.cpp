#include "search/tree/tangent_bound.hpp"

#include <algorithm>
#include <cmath>

namespace kpm {

namespace {

constexpr double kRegular = 1e-10;  // added to the variances of payoffs, which lie in [0, 1]

}  // namespace

TangentBound::TangentBound(const ScaledMarket& market, const std::vector<Corners>& corners)
    : market_(market),
      corners_(corners),
      measure_(market, arena_),
      loss_(market.states()),
      factor_(market.claims(), arena_),
      variance_(Array::Zero(market.claims())) {
  multipliers_.reserve(market);
}

bool TangentBound::support(const Array& demand, const Array& lambda) {
  if (market_.kind == Ambiguity::kSimplex) {
    return false;
  }
  demand_ = demand;
  loss_ = -market_.inventory;
  for (int k = 0; k < market_.claims(); ++k) {
    if (demand[k] != 0.0) {
      loss_ += demand[k] * market_.payoffs.row(k).transpose().array();
    }
  }
  // Calls are for neighbouring demands: the last answer is a good start.
  rho_ = measure_.evaluate(loss_, rho_, measure_.multiplier());
  if (market_.kind == Ambiguity::kBall && !(measure_.multiplier() > 0.0)) {
    return false;
  }
  Array& marginal = multipliers_.marginal_state_prices;
  measure_.support(loss_, rho_, multipliers_.worst_case, marginal);
  multipliers_.lambda = lambda;
  multipliers_.set(market_, (marginal * (loss_ - rho_)).sum());
  return true;
}

bool TangentBound::rules_out(const Box& box, const Array& demand, const Array& lambda,
                             double threshold) {
  Array moved = demand;
  bool far = false;
  for (Eigen::Index k = 0; k < moved.size(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const std::vector<double>& ends = corners_[at].demand;
    moved[k] = std::clamp(moved[k], ends[static_cast<std::size_t>(box.last[at]) + 1],
                          ends[static_cast<std::size_t>(box.first[at])]);
    far |= moved[k] != demand[k];
  }
  return far && support(moved, lambda) && bound(box) < threshold;
}

void TangentBound::set_box(const Box& box) {
  moving_.clear();
  variance_.setZero();
  reach_ = 0.0;
  double squares = 0.0;
  for (int k = 0; k < market_.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const std::vector<double>& ends = corners_[at].demand;
    const double farthest = std::max(ends[static_cast<std::size_t>(box.first[at])] - demand_[k],
                                     demand_[k] - ends[static_cast<std::size_t>(box.last[at]) + 1]);
    if (farthest > 0.0) {
      moving_.push_back(k);
      reach_ += farthest;
      squares += farthest * farthest;
    }
  }
  lost_ = kRegular * squares;
  const auto size = static_cast<Eigen::Index>(moving_.size());
  const Array& g = multipliers_.marginal_state_prices;
  centred_.resize(size, market_.states());
  for (Eigen::Index j = 0; j < size; ++j) {
    const int k = moving_[static_cast<std::size_t>(j)];
    centred_.row(j) =
        ((market_.payoffs.row(k).transpose().array() - multipliers_.value[k]) * g.sqrt()).matrix();
  }
  covariance_.setZero(size, size);
  covariance_.diagonal().setConstant(kRegular);
  add_gram(centred_, covariance_);
  factor_.compute(covariance_, 0.0);
  column_.resize(size);
  for (Eigen::Index j = 0; j < size; ++j) {
    column_.setZero();
    column_[j] = 1.0;
    factor_.solve_in_place(column_.data());
    if (column_[j] > 0.0) {
      variance_[moving_[static_cast<std::size_t>(j)]] = 1.0 / column_[j];
    }
  }
}

double TangentBound::rise(int claim, double distance) const {
  const double least = distance * distance * variance_[claim] - lost_;
  if (!(least > 0.0)) {
    return 0.0;
  }
  const double a = market_.risk_aversion;
  const double moved = std::min(a, 1.0 / reach_);  // a times the share of z considered
  return std::log1p(moved * moved * least / (2.0 + moved * reach_)) / a;
}

}  // namespace kpm
