#include "search/tree/relaxation_program.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

constexpr double kStart = 0.3;  // first complementarity products over the money at stake

}  // namespace

RelaxationProgram::RelaxationProgram(const ScaledMarket& market,
                                     const std::vector<Corners>& corners, Arena& arena)
    : market_(market),
      corners_(corners),
      states_(market, arena),
      hulls_(market.claims(), arena),
      risk_(market, arena),
      base_(arena.array(market.states())),
      loss_(arena.array(market.states())),
      dloss_(arena.array(market.states())),
      value_(arena.array(market.claims())),
      dvalue_(arena.array(market.claims())),
      scale_(arena.array(market.claims())),
      slope_(arena.array(market.claims())),
      ddemand_(arena.array(market.claims())),
      e_(arena.array(market.claims())),
      f_(arena.array(market.claims())),
      step_value_(arena.array(market.claims())),
      projection_(arena.array(risk_.root_size())),
      roots_(arena.matrix(market.claims(), risk_.root_size())),
      scaled_roots_(arena.matrix(market.claims(), risk_.root_size())),
      inner_(arena.matrix(market.claims(), market.claims())),
      outer_(arena.matrix(market.claims(), market.claims())),
      inner_factor_(market.claims(), arena),
      outer_factor_(market.claims(), arena),
      column_(arena.array(market.claims())),
      best_xi_(arena.array(market.states())),
      best_price_(arena.array(market.claims())),
      best_demand_(arena.array(market.claims())) {
  base_ = -market.inventory;
  trial_.reserve(market);
  best_.reserve(market);
}

void RelaxationProgram::forget() {
  best_bound_ = kInfinity;
  best_gap_ = kInfinity;
  columns_ = 0;
  // A start that rounding spoils leaves no point: the prior without trade is one to round.
  best_xi_ = market_.prior;
  best_price_ = (market_.payoffs * market_.prior.matrix()).array();
  best_demand_.setZero();
}

void RelaxationProgram::load(const Box& box, const Multipliers* parent, double incumbent,
                             double branch_share) {
  box_ = &box;
  incumbent_ = incumbent;
  branch_share_ = branch_share;
  hulls_.clear();
  for (int k = 0; k < box.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const Corners& corners = corners_[at];
    const int first = box.first[at];
    const int last = box.last[at];
    hulls_.add(k, first, corners);
    hulls_.add(k, last + 1, corners);
    // Where the prior's prices, or the parent's multipliers, cross the staircase.
    const double price = market_.payoffs.row(k).dot(market_.prior.matrix());
    const int crossing = std::min(corners.above_price(first, last + 1, price), last + 1);
    hulls_.add(k, crossing, corners);
    hulls_.add(k, std::max(crossing - 1, first), corners);
    if (parent != nullptr) {
      hulls_.add(k, parent->best_corner(k, corners, first, last), corners);
    }
  }
  hulls_.weigh();
  start_ = kStart * std::max(hulls_.total_stake(), kLeastStake);
}

void RelaxationProgram::start(const Attempt& attempt) {
  states_.start(start_);
  hulls_.start(start_);
  tau_ = start_;
  losses();
  risk_.start(loss_, start_, attempt.entropy_share);
  price_out();
}

void RelaxationProgram::losses() {
  loss_ = base_ + (market_.payoffs.transpose() * hulls_.demand.matrix()).array();
}

/// Value the claims under the current multipliers and price the whole run with them: the bound,
/// and the corners that ask to join.
void RelaxationProgram::price_out() {
  value_ = (market_.payoffs * risk_.g.matrix()).array();
  trial_.worst_case = risk_.p / risk_.p.sum();
  trial_.marginal_state_prices = risk_.g / risk_.g.sum();
  trial_.lambda = states_.lambda;
  trial_.set(market_, risk_.divergence());
  bound_ = trial_.constant;
  bool joined = false;
  for (int k = 0; k < box_->claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const Corners& corners = corners_[at];
    const int c = trial_.best_corner(k, corners, box_->first[at], box_->last[at]);
    const auto corner = static_cast<std::size_t>(c);
    bound_ += trial_.worth(k, corners.price[corner], corners.demand[corner]);
    if (hulls_.insert(k, c, corners, states_.lambda[k], value_[k], tau_)) {
      ++columns_;
      joined = true;
    }
  }
  if (joined) {
    hulls_.refresh();
    losses();
  }
}

void RelaxationProgram::update_residuals() {
  risk_.update_residuals(loss_);
  states_.update_residuals();
  hulls_.update_residuals(states_.lambda, value_);
}

void RelaxationProgram::factor() {
  const int claims = market_.claims();
  states_.factor();
  for (int k = 0; k < claims; ++k) {
    const double spread = hulls_.demand_demand[k];
    scale_[k] = std::sqrt(spread);
    slope_[k] = spread > 0.0 ? hulls_.price_demand[k] / scale_[k] : 0.0;
    risk_.root(payoff(k), 1.0, &roots_(k, 0));
  }
  scaled_roots_ = scale_.matrix().asDiagonal() * roots_;
  inner_.setIdentity();
  add_gram(scaled_roots_, inner_);
  inner_factor_.compute(inner_, 0.0);
  outer_ = states_.gram;
  for (int k = 0; k < claims; ++k) {
    outer_(k, k) += hulls_.price_alone[k];
  }
  // b (1 + s H s)^-1 b, column by column; claims with no such coupling cost nothing.
  for (int k = 0; k < claims; ++k) {
    if (slope_[k] == 0.0) {
      continue;
    }
    column_.setZero();
    column_[k] = slope_[k];
    inner_factor_.solve_in_place(column_.data());
    for (int l = k; l < claims; ++l) {
      outer_(l, k) += slope_[l] * column_[l];
    }
  }
  outer_factor_.compute(outer_, kRedundantRow);
}

void RelaxationProgram::set_affine_rhs() {
  states_.set_affine_rhs();
  hulls_.set_affine_rhs();
  risk_.set_affine_rhs();
}

void RelaxationProgram::set_combined_rhs(double tau, bool second_order) {
  states_.set_combined_rhs(tau);
  hulls_.set_combined_rhs(tau);
  risk_.set_combined_rhs(tau, second_order);
}

void RelaxationProgram::set_centering_rhs(double tau) {
  states_.set_centering_rhs(tau);
  hulls_.set_centering_rhs(tau);
  risk_.set_centering_rhs(tau);
}

void RelaxationProgram::direction() {
  const int claims = market_.claims();
  states_.reduce();
  hulls_.reduce();
  risk_.reduce();
  for (int k = 0; k < claims; ++k) {
    step_value_[k] = 0.0;
    for (Eigen::Index i = 0; i < loss_.size(); ++i) {
      step_value_[k] += payoff(k)[i] * risk_.step_g[i];
    }
  }
  // f = s (step_G + H step_y).
  projection_ = (roots_.transpose() * hulls_.step_demand.matrix()).array();
  f_ = scale_ * (step_value_ + (roots_ * projection_.matrix()).array());
  column_ = f_;
  inner_factor_.solve_in_place(column_.data());
  column_ = states_.price - hulls_.price + states_.step - hulls_.step_price + slope_ * column_;
  outer_factor_.solve_in_place(column_.data());
  states_.dlambda = column_;

  column_ = slope_ * states_.dlambda - f_;
  inner_factor_.solve_in_place(column_.data());
  e_ = column_;
  ddemand_ = hulls_.step_demand + scale_ * e_;
  dloss_ = (market_.payoffs.transpose() * ddemand_.matrix()).array();
  projection_ = (roots_.transpose() * ddemand_.matrix()).array();
  // dG follows from either of two equations; near a kink curvature * dy cancels, elsewhere the
  // other does.
  for (int k = 0; k < claims; ++k) {
    dvalue_[k] = inner_(k, k) > 2.0 ? (slope_[k] * states_.dlambda[k] - e_[k]) / scale_[k]
                                    : step_value_[k] + roots_.row(k).dot(projection_.matrix());
  }
  states_.recover_step();
  hulls_.recover_step(states_.dlambda, dvalue_);
  risk_.recover_step(dloss_);
}

double RelaxationProgram::complementarity(Step along) const {
  return states_.complementarity(along.primal) + hulls_.complementarity(along.primal) +
         risk_.complementarity(along.primal);
}

Step RelaxationProgram::max_step(double share) const {
  double steepest = share;
  states_.ratio_test(steepest);
  hulls_.ratio_test(steepest);
  risk_.ratio_test(steepest);
  const double step = share / steepest;
  return {step, step};
}

Step RelaxationProgram::shorten(Step along) {
  const double step = risk_.shorten(along.primal, complementarity({}) / degree(),
                                    complementarity(along) / degree());
  return {step, step};
}

void RelaxationProgram::advance(Step along) {
  states_.advance(along.primal);
  hulls_.advance(along.primal);
  losses();
  risk_.advance(along.primal);
  tau_ = complementarity({}) / degree();
  price_out();
}

bool RelaxationProgram::keep_best(double tolerance) {
  const double coupling = (hulls_.price - states_.price).abs().maxCoeff();
  const double objective = hulls_.revenue.sum() - risk_.upper_bound(loss_);
  const double gap = std::abs(bound_ - objective) + coupling;
  if (bound_ < best_bound_) {
    best_bound_ = bound_;
    best_ = trial_;
  }
  if (gap < best_gap_) {
    best_gap_ = gap;
    best_xi_ = states_.state_prices();
    best_price_ = hulls_.price;
    best_demand_ = hulls_.demand;
  }
  return best_bound_ < incumbent_ ||
         gap <= std::max(tolerance, branch_share_ * (best_bound_ - incumbent_));
}

}  // namespace kpm
