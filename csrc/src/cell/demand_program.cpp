#include "cell/demand_program.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/inner_products.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

constexpr double kStart = 0.1;  // first complementarity products over the money at stake

}  // namespace

DemandProgram::DemandProgram(const ScaledMarket& market, Arena& arena)
    : market_(market),
      steps_(market.claims(), arena),
      risk_(market, arena),
      claim_(arena.span<int>(market.claims())),
      loss_(arena.array(market.states())),
      dloss_(arena.array(market.states())),
      price_(arena.array(market.claims())),
      base_(arena.array(market.states())),
      step_value_(arena.array(market.claims())),
      scale_(arena.array(market.claims())),
      column_(arena.array(market.claims())),
      ddemand_(arena.array(market.claims())),
      roots_(rows_unless(market.of_sets(), market, risk_.root_size(), arena)),
      matrix_(rows_unless(market.of_sets(), market, market.claims(), arena)),
      best_demand_(arena.array(market.claims())),
      best_p_(arena.array(market.states())),
      best_g_(arena.array(market.states())),
      factor_(matrix_.rows(), arena),
      of_sets_(market.of_sets()),
      of_claims_(arena.array(of_sets_ ? market.claims() : 0)),
      bend_(arena.array(of_claims_.size())),
      owed_(arena.array(of_sets_ ? market.states() : 0)),
      prices_(arena.array(market.nested.nested() ? market.claims() : 0)),
      fixed_(arena.array(prices_.size())),
      weight_(arena.array(market.nested.nested() ? market.states() : 0)) {
  if (market.disjoint.disjoint()) {
    disjoint_.emplace(market, risk_, arena);
  } else if (of_sets_) {
    nested_.emplace(market, risk_, arena);
    std::fill_n(fixed_.data(), fixed_.size(), 1.0);
  }
}

void DemandProgram::load(const Hull& hull) {
  const Eigen::Index states = base_.size();
  steps_.clear();
  for (Eigen::Index i = 0; i < states; ++i) {
    base_[i] = -market_.inventory[i];
  }
  for (int k = 0; k < hull.claims(); ++k) {
    const Range range = hull.demand_range(k);
    if (range.high > range.low) {
      const int j = steps_.size();
      claim_[j] = k;
      price_[j] = hull.price[hull.first[k]];
      steps_.add(range.low, range.high - range.low);
    } else if (range.low != 0.0 && !of_sets_) {
      add_row(range.low, &market_.payoffs(k, 0), states, base_.data());
    }
  }
  if (of_sets_) {
    for (int k = 0; k < hull.claims(); ++k) {
      const Range range = hull.demand_range(k);
      of_claims_[k] = range.high > range.low ? 0.0 : range.low;
    }
    add_owed(base_);
  }
  double highest = -kInfinity;
  magnitude_ = 0.0;
  for (Eigen::Index i = 0; i < states; ++i) {
    highest = std::max(highest, base_[i]);
    magnitude_ = std::max(magnitude_, std::abs(base_[i]));
  }
  // rho is cash-additive: losses count from the worst state, where rounding matters most.
  for (Eigen::Index i = 0; i < states; ++i) {
    base_[i] -= highest;
  }
  start_ = kStart * std::max(steps_.total_width(), kLeastStake);
}

/// The maker's prices in the middle of all steps show which way each demand will go.
void DemandProgram::start(const Attempt& attempt) {
  steps_.start(start_);
  losses();
  if (attempt.edge < 0.5) {
    risk_.guess(loss_, start_, attempt.entropy_share);
    costs();
    steps_.move_toward_central_path(start_, attempt.edge);
    losses();
  }
  risk_.start(loss_, start_, attempt.entropy_share, attempt.rare);
}

/// The value of each step's claim under one number per state.
template <class Keep>
void DemandProgram::value_steps(const Slice& x, Keep&& keep) {
  if (of_sets_) {
    market_.value_claims(x, of_claims_);
    for (int j = 0; j < steps_.size(); ++j) {
      keep(j, of_claims_[claim_[j]]);
    }
    return;
  }
  for (int j = 0; j < steps_.size(); ++j) {
    keep(j, dot(payoff(j), x.data(), loss_.size()));
  }
}

/// Add what the maker owes for one demand per step.
template <class Demand>
void DemandProgram::add_losses(const Demand& demand, Slice& loss) {
  if (of_sets_) {
    of_claims_.setZero();
    for (int j = 0; j < steps_.size(); ++j) {
      of_claims_[claim_[j]] = demand[j];
    }
    add_owed(loss);
    return;
  }
  for (int j = 0; j < steps_.size(); ++j) {
    add_row(demand[j], payoff(j), loss.size(), loss.data());
  }
}

/// What the maker owes for of_claims_.
void DemandProgram::add_owed(Slice& loss) {
  market_.owe(of_claims_, owed_);
  for (Eigen::Index i = 0; i < loss.size(); ++i) {
    loss[i] += owed_[i];
  }
}

void DemandProgram::costs() {
  value_steps(risk_.g, [this](int j, double value) { steps_.cost[j] = value - price_[j]; });
}

void DemandProgram::losses() {
  std::copy_n(base_.data(), base_.size(), loss_.data());
  add_losses(steps_.x, loss_);
}

void DemandProgram::update_residuals() {
  risk_.update_residuals(loss_.data());
  costs();
  steps_.update_residuals();
}

void DemandProgram::factor() {
  if (of_sets_) {
    factor_sets();
    return;
  }
  const Eigen::Index size = risk_.root_size();
  // (1 / spread + curvature) dy = ..., scaled by the roots of the spreads: the matrix is the
  // identity plus a sum of squares.
  for (int j = 0; j < steps_.size(); ++j) {
    scale_[j] = std::sqrt(steps_.spread[j]);
    risk_.root(payoff(j), scale_[j], &roots_(j, 0));
    std::fill_n(&matrix_(j, 0), j, 0.0);
    matrix_(j, j) = 1.0;
  }
  add_gram(roots_.data(), steps_.size(), size, matrix_.data(), matrix_.cols());
  factor_.compute(matrix_.data(), matrix_.cols(), steps_.size(), 0.0);
}

void DemandProgram::set_affine_rhs() {
  steps_.set_affine_rhs();
  risk_.set_affine_rhs();
}

void DemandProgram::set_combined_rhs(double tau, bool second_order) {
  steps_.set_combined_rhs(tau);
  risk_.set_combined_rhs(tau, second_order);
}

void DemandProgram::set_centering_rhs(double tau) {
  steps_.set_centering_rhs(tau);
  risk_.set_centering_rhs(tau);
}

void DemandProgram::factor_sets() {
  of_claims_.setZero();
  for (int j = 0; j < steps_.size(); ++j) {
    scale_[j] = std::sqrt(steps_.spread[j]);
    of_claims_[claim_[j]] = scale_[j];
  }
  if (disjoint_) {
    disjoint_->factor(of_claims_);
  } else if (nested_) {
    nested_->factor(weight_, fixed_, prices_, of_claims_);
  }
}

/// Solve for the steps' column, all else zero.
void DemandProgram::solve_sets() {
  of_claims_.setZero();
  for (int j = 0; j < steps_.size(); ++j) {
    of_claims_[claim_[j]] = column_[j];
  }
  if (disjoint_) {
    disjoint_->solve_in_place(of_claims_);
  } else if (nested_) {
    nested_->solve_in_place(prices_, of_claims_);
  }
  for (int j = 0; j < steps_.size(); ++j) {
    column_[j] = of_claims_[claim_[j]];
  }
  for (int j = 0; j < steps_.size(); ++j) {
    of_claims_[claim_[j]] = scale_[j] * column_[j];
  }
  if (disjoint_) {
    disjoint_->apply(of_claims_, bend_);
  } else if (nested_) {
    nested_->apply(of_claims_, bend_);
  }
}

void DemandProgram::direction() {
  const int steps = steps_.size();
  steps_.reduce();
  risk_.reduce();
  value_steps(risk_.step_g, [this](int j, double value) {
    step_value_[j] = value;
    column_[j] = steps_.step[j] / scale_[j] - scale_[j] * value;
  });
  if (of_sets_) {
    solve_sets();
  } else {
    factor_.solve_in_place(column_.data());
  }
  // dG follows from either of two equations; near a kink curvature * dy cancels, elsewhere the
  // other does.
  for (int j = 0; j < steps; ++j) {
    ddemand_[j] = scale_[j] * column_[j];
    const double diagonal = disjoint_ ? disjoint_->diagonal(claim_[j])
                            : nested_ ? nested_->diagonal(claim_[j])
                                      : matrix_(j, j);
    if (diagonal > 2.0) {
      steps_.dcost[j] = (steps_.step[j] - ddemand_[j]) / steps_.spread[j];
    } else if (of_sets_) {
      steps_.dcost[j] = step_value_[j] + bend_[claim_[j]];
    } else {
      double bend = dot(&matrix_(j, 0), column_.data(), j) + (diagonal - 1.0) * column_[j];
      for (int l = j + 1; l < steps; ++l) {
        bend += matrix_(l, j) * column_[l];
      }
      steps_.dcost[j] = step_value_[j] + bend / scale_[j];
    }
  }
  std::fill_n(dloss_.data(), dloss_.size(), 0.0);
  add_losses(ddemand_, dloss_);
  steps_.recover_step();
  risk_.recover_step(dloss_.data());
}

double DemandProgram::complementarity(Step along) const {
  return steps_.complementarity(along) + risk_.complementarity(along.primal);
}

Step DemandProgram::max_step(double share) const {
  Step limit{share, share};
  steps_.ratio_test(limit);
  double inverse_step = std::max(limit.primal, limit.dual);
  risk_.ratio_test(inverse_step);
  const double step = share / inverse_step;
  return {step, step};
}

Step DemandProgram::shorten(Step along) {
  const double step = risk_.shorten(along.primal, complementarity({}) / degree(),
                                    complementarity(along) / degree());
  return {step, step};
}

void DemandProgram::advance(Step along) {
  steps_.advance(along);
  losses();
  risk_.advance(along.primal);
}

double DemandProgram::bound() {
  double mass = 0.0;
  double given = 0.0;
  for (Eigen::Index i = 0; i < base_.size(); ++i) {
    mass += risk_.g[i];
    given += risk_.g[i] * base_[i];
  }
  double bound = risk_.divergence() - given / mass;
  value_steps(risk_.g, [&](int j, double value) {
    const double margin = price_[j] - value / mass;
    bound += std::max(margin * steps_.low(j), margin * steps_.high(j));
  });
  return bound;
}

bool DemandProgram::keep_best(double tolerance) {
  const double risk = risk_.upper_bound(loss_);
  double objective = -risk;
  for (int j = 0; j < steps_.size(); ++j) {
    objective += price_[j] * steps_.x[j];
  }
  const double merit = std::abs(bound() - objective);
  if (merit < merit_) {
    merit_ = merit;
    best_risk_ = risk;
    std::copy_n(steps_.x.begin(), steps_.size(), best_demand_.data());
    best_p_ = risk_.p / risk_.p.sum();
    best_g_ = risk_.g / risk_.g.sum();
    best_divergence_ = risk_.divergence();
    best_ambiguity_price_ = risk_.ambiguity_price();
    best_dual_residual_ = std::max(steps_.dual_residual, risk_.weighted_residual());
  }
  return merit <= tolerance;
}

void DemandProgram::write_demand(Eigen::Ref<Array> demand) const {
  for (int j = 0; j < steps_.size(); ++j) {
    demand[claim_[j]] = std::clamp(best_demand_[j], steps_.low(j), steps_.high(j));
  }
}

}  // namespace kpm
