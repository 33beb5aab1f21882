#include "cell/price_program.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/inner_products.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

constexpr double kStart = 1.0;  // first complementarity products over the money at stake

}  // namespace

PriceProgram::PriceProgram(const ScaledMarket& market, Arena& arena)
    : market_(market),
      ranges_(market.claims(), arena),
      states_(arena.span<State>(market.states())),
      claims_(arena.span<Claim>(market.claims())),
      scaled_(rows_unless(market.disjoint.disjoint(), market, market.states(), arena)),
      matrix_(square_unless(market.disjoint.disjoint(), market, arena)),
      column_(arena.array(market.claims())),
      factor_(matrix_.rows(), arena),
      weight_(arena.array(market.disjoint.disjoint() ? market.states() : 0)),
      alone_(arena.array(market.disjoint.disjoint() || market.narrow ? market.claims() : 0)),
      none_(arena.matrix(market.claims(), 0)),
      nothing_(arena.array(market.narrow ? market.claims() : 0)),
      unused_(arena.array(nothing_.size())) {
  if (market.disjoint.disjoint()) {
    disjoint_.emplace(market, arena);
  } else if (market.narrow) {
    narrow_.emplace(market.claims(), market.states(), 0, arena);
  }
  for (Eigen::Index i = 0; i < market.states(); ++i) {
    states_[i].weight = 0.5 * (market.prior[i] + 1.0 / market.states());
  }
}

void PriceProgram::load(const Hull& hull) {
  ranges_.clear();
  double stake = 0.0;
  for (int k = 0; k < hull.claims(); ++k) {
    Claim& claim = claims_[k];
    const Range range = hull.price_range(k);
    claim.price = range.low;
    claim.demand = 0.0;
    claim.slot = -1;
    if (range.high > range.low) {
      claim.demand = hull.demand[hull.first[k]];
      claim.slot = ranges_.size();
      ranges_.add(range.low, range.high - range.low);
      stake += std::abs(claim.demand) * (range.high - range.low);
    }
  }
  start_ = kStart * std::max(stake, kLeastStake);
}

void PriceProgram::start(const Attempt& /*attempt*/) {
  ranges_.start(start_);
  for (State& state : states_) {
    state.xi = state.weight;
    state.s = start_;
    state.dxi = state.ds = 0.0;
  }
  for (Claim& claim : claims_) {
    claim.lambda = 0.0;
  }
  tau_ = start_;
}

void PriceProgram::update_residuals() {
  double mass = 0.0;
  total_scaling_ = 0.0;
  products_ = {};
  for (State& state : states_) {
    state.scaling = state.xi / state.s;
    state.push = tau_;
    total_scaling_ += state.scaling;
    mass += state.xi;
    products_.now += state.xi * state.s;
  }
  normalisation_ = 1.0 - mass;
  primal_residual_ = std::abs(normalisation_);
  value_claims();
  const double inverse_total = 1.0 / total_scaling_;
  for (Claim& claim : claims_) {
    claim.mean *= inverse_total;
    if (claim.slot >= 0) {
      claim.price = ranges_.x[claim.slot];
      ranges_.cost[claim.slot] = -(claim.demand + claim.lambda);
    }
    claim.coupling -= claim.price;
    primal_residual_ = std::max(primal_residual_, std::abs(claim.coupling));
  }
  ranges_.update_residuals();
  dual_residual_ = ranges_.dual_residual;
  for (State& state : states_) {
    state.rs = state.s - state.push;
    dual_residual_ = std::max(dual_residual_, std::abs(state.rs));
  }
}

/// Prices and means of the claims, into coupling and mean; adds P'lambda to the states' push.
void PriceProgram::value_claims() {
  if (disjoint_) {
    for (Claim& claim : claims_) {
      claim.coupling = claim.mean = 0.0;
    }
    for (Eigen::Index i = 0; i < states_.size(); ++i) {
      const int k = market_.disjoint.claim_of(i);
      if (k != DisjointClaims::kNone) {
        claims_[k].coupling += states_[i].xi;
        claims_[k].mean += states_[i].scaling;
        states_[i].push += claims_[k].lambda;
      }
    }
    return;
  }
  Eigen::Index k = 0;
  for (; k + 2 <= market_.claims(); k += 2) {  // of two claims no addition waits for the other's
    const double* const first = &market_.payoffs(k, 0);
    const double* const second = &market_.payoffs(k + 1, 0);
    double price[] = {0.0, 0.0};
    double mean[] = {0.0, 0.0};
    for (Eigen::Index i = 0; i < states_.size(); ++i) {
      State& state = states_[i];
      price[0] += first[i] * state.xi;
      price[1] += second[i] * state.xi;
      mean[0] += first[i] * state.scaling;
      mean[1] += second[i] * state.scaling;
      state.push = state.push + first[i] * claims_[k].lambda + second[i] * claims_[k + 1].lambda;
    }
    for (Eigen::Index of = 0; of < 2; ++of) {
      claims_[k + of].coupling = price[of];
      claims_[k + of].mean = mean[of];
    }
  }
  for (; k < market_.claims(); ++k) {
    Claim& claim = claims_[k];
    const double* const row = &market_.payoffs(k, 0);
    claim.coupling = claim.mean = 0.0;
    for (Eigen::Index i = 0; i < states_.size(); ++i) {
      State& state = states_[i];
      claim.coupling += row[i] * state.xi;
      claim.mean += row[i] * state.scaling;
      state.push += row[i] * claim.lambda;
    }
  }
}

/// Eliminating tau centres the payoffs under the weights xi / s; centring before the product keeps
/// the matrix positive semi-definite where subtracting a rank-one term would not.
void PriceProgram::factor() {
  if (disjoint_) {
    factor_disjoint(*disjoint_);
    return;
  }
  const Eigen::Index states = market_.states();
  for (State& state : states_) {
    state.root_scaling = std::sqrt(state.scaling);
  }
  for (Eigen::Index k = 0; k < market_.claims(); ++k) {
    const Claim& claim = claims_[k];
    const double* const row = &market_.payoffs(k, 0);
    double* const scaled = &scaled_(k, 0);
    for (Eigen::Index i = 0; i < states; ++i) {
      scaled[i] = (row[i] - claim.mean) * states_[i].root_scaling;
    }
    if (narrow_) {
      alone_[k] = claim.slot >= 0 ? ranges_.spread[claim.slot] : 0.0;
      continue;
    }
    std::fill_n(&matrix_(k, 0), k + 1, 0.0);
    if (claim.slot >= 0) {
      matrix_(k, k) = ranges_.spread[claim.slot];
    }
  }
  if (narrow_) {
    narrow_->factor(scaled_, none_, alone_, nothing_);
  } else {
    add_gram(scaled_, matrix_);
    factor_.compute(matrix_, kRedundantRow);
  }
}

void PriceProgram::factor_disjoint(DisjointPrices& system) {
  for (Eigen::Index i = 0; i < states_.size(); ++i) {
    weight_[i] = states_[i].scaling;
  }
  for (Eigen::Index k = 0; k < claims_.size(); ++k) {
    const int slot = claims_[k].slot;
    alone_[k] = slot >= 0 ? ranges_.spread[slot] : 0.0;
  }
  system.factor(weight_, alone_);
}

void PriceProgram::set_affine_rhs() {
  ranges_.set_affine_rhs();
  for (State& state : states_) {
    state.target = -state.xi * state.s;
  }
}

void PriceProgram::set_combined_rhs(double tau, bool /*second_order*/) {
  ranges_.set_combined_rhs(tau);
  for (State& state : states_) {
    state.target = tau * state.weight - state.xi * state.s - state.dxi * state.ds;
  }
}

void PriceProgram::set_centering_rhs(double tau) {
  ranges_.set_centering_rhs(tau);
  for (State& state : states_) {
    state.target = tau * state.weight - state.xi * state.s;
  }
}

/// Add the value of the states' own steps to the column.
void PriceProgram::value_steps() {
  if (disjoint_) {
    for (Eigen::Index i = 0; i < states_.size(); ++i) {
      const int k = market_.disjoint.claim_of(i);
      if (k != DisjointClaims::kNone) {
        column_[k] += states_[i].k;
      }
    }
    return;
  }
  add_in_order(market_.payoffs, [this](Eigen::Index i) { return states_[i].k; }, column_.data());
}

/// The change of the states' push by the step of the multipliers.
void PriceProgram::push_states() {
  for (State& state : states_) {
    state.push = dtau_;
  }
  if (disjoint_) {
    for (Eigen::Index i = 0; i < states_.size(); ++i) {
      states_[i].push += market_.disjoint.at(column_, i);
    }
    return;
  }
  for (Eigen::Index k = 0; k < claims_.size(); ++k) {
    const double* const row = &market_.payoffs(k, 0);
    for (Eigen::Index i = 0; i < states_.size(); ++i) {
      states_[i].push += row[i] * column_[k];
    }
  }
}

void PriceProgram::direction() {
  const Eigen::Index claims = market_.claims();
  ranges_.reduce();
  double sum = -normalisation_;
  for (State& state : states_) {
    state.k = state.target / state.s + state.scaling * state.rs;
    sum += state.k;
  }
  for (Eigen::Index k = 0; k < claims; ++k) {
    column_[k] = claims_[k].coupling - claims_[k].mean * sum;
  }
  value_steps();
  for (Eigen::Index k = 0; k < claims; ++k) {
    if (claims_[k].slot >= 0) {
      column_[k] -= ranges_.step[claims_[k].slot];
    }
  }
  if (disjoint_) {
    disjoint_->solve_in_place(column_);
  } else if (narrow_) {
    unused_.setZero();
    narrow_->solve_in_place(column_, unused_);
  } else {
    factor_.solve_in_place(column_.data());
  }

  dtau_ = sum / total_scaling_;
  for (Eigen::Index k = 0; k < claims; ++k) {
    claims_[k].dlambda = column_[k];
    dtau_ -= claims_[k].mean * column_[k];
    if (claims_[k].slot >= 0) {
      ranges_.dcost[claims_[k].slot] = -column_[k];
    }
  }
  push_states();
  products_ = {products_.now, 0.0, 0.0, 0.0};
  inverse_step_ = {};
  for (State& state : states_) {
    state.dxi = state.k - state.scaling * state.push;
    state.ds = (state.target - state.s * state.dxi) / state.xi;
    products_.by_primal += state.dxi * state.s;
    products_.by_dual += state.xi * state.ds;
    products_.by_both += state.dxi * state.ds;
    inverse_step_.primal = std::max(inverse_step_.primal, -state.dxi / state.xi);
    inverse_step_.dual = std::max(inverse_step_.dual, -state.ds / state.s);
  }
  ranges_.recover_step();
}

double PriceProgram::complementarity(Step along) const {
  return products_.at(along) + ranges_.complementarity(along);
}

/// A linear program may take primal and dual steps of different lengths.
Step PriceProgram::max_step(double share) const {
  Step inverse_step{std::max(share, inverse_step_.primal), std::max(share, inverse_step_.dual)};
  ranges_.ratio_test(inverse_step);
  return {share / inverse_step.primal, share / inverse_step.dual};
}

void PriceProgram::advance(Step along) {
  ranges_.advance(along);
  for (State& state : states_) {
    state.xi += along.primal * state.dxi;
    state.s += along.dual * state.ds;
  }
  tau_ += along.dual * dtau_;
  for (Claim& claim : claims_) {
    claim.lambda += along.dual * claim.dlambda;
  }
}

double PriceProgram::bound() const {
  double bound = -kInfinity;
  for (Eigen::Index i = 0; i < market_.states(); ++i) {
    double push = 0.0;
    if (disjoint_) {
      const int k = market_.disjoint.claim_of(i);
      push = k == DisjointClaims::kNone ? 0.0 : -claims_[k].lambda;
    } else {
      for (Eigen::Index k = 0; k < market_.claims(); ++k) {
        push -= claims_[k].lambda * market_.payoffs(k, i);
      }
    }
    bound = std::max(bound, push);
  }
  for (const Claim& claim : claims_) {
    const double worth = claim.demand + claim.lambda;
    bound += claim.slot < 0
                 ? worth * claim.price
                 : std::max(worth * ranges_.low(claim.slot), worth * ranges_.high(claim.slot));
  }
  return bound;
}

double PriceProgram::objective() const {
  double revenue = 0.0;
  for (const Claim& claim : claims_) {
    revenue += claim.demand * claim.price;
  }
  return revenue;
}

double PriceProgram::largest_multiplier() const {
  double largest = 0.0;
  for (const Claim& claim : claims_) {
    largest = std::max(largest, std::abs(claim.best_lambda));
  }
  return largest;
}

bool PriceProgram::keep_best(double tolerance) {
  // A bound below the objective is rounding of multipliers grown too large: no better than above.
  const double merit = std::max(std::abs(bound() - objective()), primal_residual_);
  if (merit < merit_) {
    merit_ = merit;
    for (State& state : states_) {
      state.best_xi = state.xi;
    }
    for (Claim& claim : claims_) {
      claim.best_lambda = claim.lambda;
    }
    best_primal_residual_ = primal_residual_;
    best_dual_residual_ = dual_residual_;
  }
  return merit <= tolerance;
}

}  // namespace kpm
