#include "search/tree/relaxation_program.hpp"

#include <algorithm>
#include <cmath>

#include "ipm/make_step_system.hpp"
#include "numerics/inner_products.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

// From this many claims on an inverse is built by rows. Fewer are solved column by column: there is
// little to gain, and a book's last digits would change with the order of its sums.
constexpr int kByRows = 24;

// The least share of a claim in the products, in that of all claims equal. The products of many
// small claims, each to be resolved as finely as its stake, end more steps than they are worth.
constexpr double kLeastShare = 1e-3;
constexpr double kLeastOfMany = 1.0;
constexpr int kMany = 64;

constexpr double kStart = 0.3;  // first complementarity products over the money at stake

// Of a run of up to so many pieces all corners are there from the start: one that joins midway
// throws the iterations back by more than it costs them.
constexpr int kAllPieces = 20;

// Multipliers whose bound is no farther than so many products above the best clearing are near
// those of the box: from there on the central path, at so much smaller products and with so much
// of the ball used, half of the iterations or less are left.
constexpr double kNearGap = 10.0;
constexpr double kNearStart = 0.01;
constexpr double kNearEntropy = 0.9;

}  // namespace

RelaxationProgram::RelaxationProgram(const ScaledMarket& market,
                                     const std::vector<Corners>& corners, Arena& arena)
    : market_(market),
      corners_(corners),
      states_(market, arena),
      hulls_(corners, arena),
      risk_(market, arena),
      many_(market.claims() >= kMany && !market.of_sets()),
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
      bend_(arena.array(market.claims())),
      projection_(arena.array(risk_.root_size())),
      roots_(rows_unless(market.structured(), market, risk_.root_size(), arena)),
      scaled_roots_(rows_unless(market.structured(), market, risk_.root_size(), arena)),
      inner_(square_unless(market.structured(), market, arena)),
      outer_(square_unless(market.structured(), market, arena)),
      inverse_rows_(square_unless(market.structured(), market, arena)),
      inner_factor_(inner_.rows(), arena),
      outer_factor_(outer_.rows(), arena),
      system_(make_step_system(market, risk_, arena)),
      column_(arena.array(market.claims())),
      prior_value_(arena.array(market.claims())),
      best_xi_(arena.array(market.states())),
      best_price_(arena.array(market.claims())),
      best_demand_(arena.array(market.claims())) {
  if (market.disjoint.disjoint()) {
    disjoint_inner_.emplace(market, risk_, arena);
    disjoint_outer_.emplace(market, arena);
  } else if (market.narrow) {
    narrow_.emplace(market.claims(), market.states(), risk_.root_size(), arena);
  }
  base_ = -market.inventory;
  for (int k = 0; k < market.claims(); ++k) {
    prior_value_[k] = market.payoffs.row(k).dot(market.prior.matrix());
  }
  trial_ = best_ = Multipliers(market);
}

void RelaxationProgram::forget() {
  best_bound_ = kInfinity;
  best_gap_ = kInfinity;
  columns_ = 0;
  // A start that rounding spoils leaves no point: the prior without trade is one to round.
  best_xi_ = market_.prior;
  market_.value_claims(market_.prior, best_price_);
  best_demand_.setZero();
}

void RelaxationProgram::load(const Box& box, const Multipliers* parent, double incumbent,
                             double branch_share, int beside) {
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
    if (last - first < kAllPieces) {
      for (int c = first + 1; c <= last; ++c) {
        hulls_.add(k, c, corners);
      }
      continue;
    }
    // Where the prior's prices, or the parent's multipliers, cross the staircase.
    const int crossing = std::min(corners.above_price(first, last + 1, prior_value_[k]), last + 1);
    hulls_.add(k, crossing, corners);
    hulls_.add(k, std::max(crossing - 1, first), corners);
    if (parent != nullptr) {
      const int best = parent->best_corner(k, corners, first, last);
      for (int c = std::max(best - beside, first); c <= std::min(best + beside, last + 1); ++c) {
        hulls_.add(k, c, corners);
      }
    }
  }
  hulls_.weigh(many_ ? kLeastOfMany : kLeastShare);
  start_ = kStart * std::max(hulls_.total_stake(), kLeastStake);
  // The root's are a cell's: near in their bound alone.
  const bool near = parent != nullptr && beside > 0 &&
                    parent->bound(corners_, box) - incumbent <= kNearGap * kNearStart * start_;
  near_ = near ? parent : nullptr;
}

void RelaxationProgram::start(const Attempt& attempt) {
  tau_ = near_ != nullptr ? kNearStart * start_ : start_;
  states_.start(tau_);
  hulls_.start(tau_);
  double entropy_share = attempt.entropy_share;
  if (near_ != nullptr) {
    entropy_share = kNearEntropy;
    states_.move_to(near_->lambda(), tau_);
    hulls_.move_to(near_->lambda(), near_->value(), tau_);
    near_ = nullptr;  // where that stalls the next attempt starts from nothing
  }
  losses();
  risk_.start(loss_, tau_, entropy_share);
  price_out();
}

void RelaxationProgram::losses() {
  market_.owe(hulls_.demand, loss_);
  loss_ += base_;
}

/// Value the claims under the current multipliers and price the whole box with them: the bound, and
/// the corners that are to join.
void RelaxationProgram::price_out() {
  market_.value_claims(risk_.g, value_);
  trial_.worst_case() = risk_.p / risk_.p.sum();
  trial_.marginal_state_prices() = risk_.g / risk_.g.sum();
  trial_.lambda() = states_.lambda;
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
  risk_.update_residuals(loss_.data());
  states_.update_residuals();
  hulls_.update_residuals(states_.lambda, value_);
}

void RelaxationProgram::factor() {
  for (int k = 0; k < market_.claims(); ++k) {
    const double spread = hulls_.demand_demand[k];
    scale_[k] = std::sqrt(spread);
    slope_[k] = spread > 0.0 ? hulls_.price_demand[k] / scale_[k] : 0.0;
  }
  if (disjoint_inner_ && disjoint_outer_) {
    disjoint_inner_->factor(scale_);
    disjoint_outer_->factor(states_.scaling(), hulls_.price_alone, slope_, *disjoint_inner_);
  } else if (system_) {
    system_->factor(states_.scaling(), hulls_.price_alone, slope_, scale_);
  } else {
    factor_dense();
  }
}

void RelaxationProgram::factor_dense() {
  const int claims = market_.claims();
  for (int k = 0; k < claims; ++k) {
    risk_.root(payoff(k), 1.0, &roots_(k, 0));
  }
  scaled_roots_ = scale_.matrix().asDiagonal() * roots_;
  if (narrow_) {
    narrow_->factor(states_.centre(), scaled_roots_, hulls_.price_alone, slope_);
    return;
  }
  states_.factor();
  inner_.setIdentity();
  add_gram(scaled_roots_, inner_);
  inner_factor_.compute(inner_, 0.0);
  outer_ = states_.gram;
  for (int k = 0; k < claims; ++k) {
    outer_(k, k) += hulls_.price_alone[k];
  }
  add_coupling();
  outer_factor_.compute(outer_, kRedundantRow);
}

/// Add b (1 + s H s)^-1 b; claims with no such coupling cost nothing.
void RelaxationProgram::add_coupling() {
  const int claims = market_.claims();
  if (claims >= kByRows) {
    inner_factor_.add_inverse(slope_.data(), inverse_rows_, column_.data(), outer_);
    return;
  }
  for (int k = 0; k < claims; ++k) {
    if (slope_[k] == 0.0) {
      continue;
    }
    column_.head(k).setZero();
    column_[k] = slope_[k];
    column_.tail(claims - k - 1).setZero();
    inner_factor_.solve_from(k, column_.data());
    for (int l = k; l < claims; ++l) {
      outer_(l, k) += slope_[l] * column_[l];
    }
  }
}

/// H times a change of demand.
void RelaxationProgram::apply_curvature(const Slice& demand, Slice& value) {
  if (disjoint_inner_) {
    disjoint_inner_->apply(demand, value);
    return;
  }
  if (system_) {
    system_->apply(demand, value);
    return;
  }
  projection_.matrix().noalias() = roots_.transpose() * demand.matrix();
  value.matrix().noalias() = roots_ * projection_.matrix();
}

void RelaxationProgram::solve_inner(Slice& x) const {
  if (disjoint_inner_) {
    disjoint_inner_->solve_in_place(x);
  } else {
    inner_factor_.solve_in_place(x.data());
  }
}

void RelaxationProgram::solve_outer(Slice& x) const {
  if (disjoint_outer_) {
    disjoint_outer_->solve_in_place(x);
  } else {
    outer_factor_.solve_in_place(x.data());
  }
}

double RelaxationProgram::inner_diagonal(int k) const {
  return disjoint_inner_ ? disjoint_inner_->diagonal(k)
         : system_       ? system_->diagonal(k)
         : narrow_       ? narrow_->risk_diagonal(k)
                         : inner_(k, k);
}

/// dlambda and e, from column_ and f.
void RelaxationProgram::solve_coupled() {
  if (system_ || narrow_) {
    states_.dlambda = column_;
    e_ = -f_;
    if (system_) {
      system_->solve_in_place(states_.dlambda, e_);
    } else {
      narrow_->solve_in_place(states_.dlambda, e_);
    }
    return;
  }
  e_ = f_;
  solve_inner(e_);
  column_ += slope_ * e_;
  solve_outer(column_);
  states_.dlambda = column_;
  e_ = slope_ * states_.dlambda - f_;
  solve_inner(e_);
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
  if (market_.structured()) {
    market_.value_step(risk_.step_g, step_value_);
  } else {
    step_value_.setZero();
    add_in_order(
        market_.payoffs, [this](Eigen::Index i) { return risk_.step_g[i]; }, step_value_.data());
  }
  // f = s (step_G + H step_y).
  apply_curvature(hulls_.step_demand, bend_);
  f_ = scale_ * (step_value_ + bend_);
  column_ = states_.price - hulls_.price + states_.step - hulls_.step_price;
  solve_coupled();
  ddemand_ = hulls_.step_demand + scale_ * e_;
  market_.owe_step(ddemand_, dloss_);
  // dG follows from either of two equations; near a kink curvature * dy cancels, elsewhere the
  // other does.
  if (market_.structured()) {
    apply_curvature(ddemand_, bend_);
  }
  bool projected = false;
  for (int k = 0; k < claims; ++k) {
    if (inner_diagonal(k) > 2.0) {
      dvalue_[k] = (slope_[k] * states_.dlambda[k] - e_[k]) / scale_[k];
    } else if (market_.structured()) {
      dvalue_[k] = step_value_[k] + bend_[k];
    } else {
      if (!projected) {
        projection_.matrix().noalias() = roots_.transpose() * ddemand_.matrix();
        projected = true;
      }
      dvalue_[k] = step_value_[k] + roots_.row(k).dot(projection_.matrix());
    }
  }
  states_.recover_step();
  hulls_.recover_step(states_.dlambda, dvalue_);
  risk_.recover_step(dloss_.data());
}

double RelaxationProgram::complementarity(Step along) const {
  return states_.complementarity(along.primal) + hulls_.complementarity(along.primal) +
         risk_.complementarity(along.primal);
}

Step RelaxationProgram::max_step(double share) const {
  double inverse_step = share;
  states_.ratio_test(inverse_step);
  hulls_.ratio_test(inverse_step);
  risk_.ratio_test(inverse_step);
  const double step = share / inverse_step;
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
