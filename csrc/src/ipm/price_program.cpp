#include "ipm/price_program.hpp"

#include <algorithm>
#include <cmath>

namespace kpm {

namespace {

constexpr double kStart = 1.0;  // first complementarity products over the money at stake
constexpr double kLeastStake =
    1e-3;  // of it: where little is at stake, prices still have to be found
// Prices with hardly any room make pivots this small in earnest.
constexpr double kRedundant = 1e-15;

}  // namespace

PriceProgram::PriceProgram(const ScaledMarket& market, Arena& arena)
    : market_(market),
      ranges_(market.claims(), arena),
      states_(arena.span<State>(market.states())),
      claims_(arena.span<Claim>(market.claims())),
      scaled_(arena.matrix(market.claims(), market.states())),
      matrix_(arena.matrix(market.claims(), market.claims())),
      column_(arena.array(market.claims())),
      factor_(market.claims(), arena) {
  for (Eigen::Index i = 0; i < market.states(); ++i) {
    states_[i].weight = 0.5 * (market.prior[i] + 1.0 / market.states());
  }
}

void PriceProgram::load(const Hull& hull) {
  ranges_.clear();
  double stake = 0.0;
  for (int k = 0; k < hull.claims(); ++k) {
    Claim& of = claims_[k];
    const Range range = hull.price_range(k);
    of.price = range.low;
    of.demand = 0.0;
    of.slot = -1;
    if (range.high > range.low) {
      of.demand = hull.demand[hull.first[k]];
      of.slot = ranges_.size();
      ranges_.add(range.low, range.high - range.low);
      stake += std::abs(of.demand) * (range.high - range.low);
    }
  }
  start_ = kStart * std::max(stake, kLeastStake);
}

void PriceProgram::start(const Attempt& /*attempt*/) {
  ranges_.start(start_);
  for (State& at : states_) {
    at.xi = at.weight;
    at.s = start_;
    at.dxi = at.ds = 0.0;
  }
  for (Claim& of : claims_) {
    of.lambda = 0.0;
  }
  tau_ = start_;
}

void PriceProgram::measure() {
  const Eigen::Index states = market_.states();
  double mass = 0.0;
  total_scaling_ = 0.0;
  products_ = {};
  for (State& at : states_) {
    at.scaling = at.xi / at.s;
    at.push = tau_;
    total_scaling_ += at.scaling;
    mass += at.xi;
    products_.now += at.xi * at.s;
  }
  normalisation_ = 1.0 - mass;
  primal_residual_ = std::abs(normalisation_);
  const double inverse_total = 1.0 / total_scaling_;
  for (Eigen::Index k = 0; k < market_.claims(); ++k) {
    Claim& of = claims_[k];
    const double* const row = &market_.payoffs(k, 0);
    double price = 0.0;
    double mean = 0.0;
    for (Eigen::Index i = 0; i < states; ++i) {
      State& at = states_[i];
      price += row[i] * at.xi;
      mean += row[i] * at.scaling;
      at.push += row[i] * of.lambda;
    }
    of.mean = mean * inverse_total;
    if (of.slot >= 0) {
      of.price = ranges_.x[of.slot];
      ranges_.cost[of.slot] = -(of.demand + of.lambda);
    }
    of.coupling = price - of.price;
    primal_residual_ = std::max(primal_residual_, std::abs(of.coupling));
  }
  ranges_.measure();
  dual_residual_ = ranges_.dual_residual;
  for (State& at : states_) {
    at.rs = at.s - at.push;
    dual_residual_ = std::max(dual_residual_, std::abs(at.rs));
  }
}

/// Eliminating tau centres the payoffs under the weights xi / s; centring before the product keeps
/// the matrix positive semi-definite where subtracting a rank-one term would not.
void PriceProgram::factor() {
  const Eigen::Index states = market_.states();
  for (State& at : states_) {
    at.root_scaling = std::sqrt(at.scaling);
  }
  for (Eigen::Index k = 0; k < market_.claims(); ++k) {
    const Claim& of = claims_[k];
    const double* const row = &market_.payoffs(k, 0);
    double* const scaled = &scaled_(k, 0);
    for (Eigen::Index i = 0; i < states; ++i) {
      scaled[i] = (row[i] - of.mean) * states_[i].root_scaling;
    }
    double* const matrix = &matrix_(k, 0);
    for (Eigen::Index l = 0; l <= k; ++l) {
      matrix[l] = dot(scaled, &scaled_(l, 0), states);
    }
    if (of.slot >= 0) {
      matrix[k] += ranges_.spread[of.slot];
    }
  }
  factor_.compute(matrix_, kRedundant);
}

void PriceProgram::target_predictor() {
  ranges_.target_predictor();
  for (State& at : states_) {
    at.target = -at.xi * at.s;
  }
}

void PriceProgram::target_corrector(double tau, bool /*second_order*/) {
  ranges_.target_corrector(tau);
  for (State& at : states_) {
    at.target = tau * at.weight - at.xi * at.s - at.dxi * at.ds;
  }
}

void PriceProgram::target_centre(double tau) {
  ranges_.target_centre(tau);
  for (State& at : states_) {
    at.target = tau * at.weight - at.xi * at.s;
  }
}

void PriceProgram::direction() {
  const Eigen::Index claims = market_.claims();
  const Eigen::Index states = market_.states();
  ranges_.condense();
  double sum = -normalisation_;
  for (State& at : states_) {
    at.k = at.target / at.s + at.scaling * at.rs;
    sum += at.k;
  }
  for (Eigen::Index k = 0; k < claims; ++k) {
    const Claim& of = claims_[k];
    const double* const row = &market_.payoffs(k, 0);
    double step = of.coupling - of.mean * sum;
    for (Eigen::Index i = 0; i < states; ++i) {
      step += row[i] * states_[i].k;
    }
    column_[k] = of.slot >= 0 ? step - ranges_.step[of.slot] : step;
  }
  factor_.solve_in_place(column_.data());

  dtau_ = sum / total_scaling_;
  for (Eigen::Index k = 0; k < claims; ++k) {
    claims_[k].dlambda = column_[k];
    dtau_ -= claims_[k].mean * column_[k];
  }
  for (State& at : states_) {
    at.push = dtau_;
  }
  for (Eigen::Index k = 0; k < claims; ++k) {
    const Claim& of = claims_[k];
    const double* const row = &market_.payoffs(k, 0);
    for (Eigen::Index i = 0; i < states; ++i) {
      states_[i].push += row[i] * of.dlambda;
    }
    if (of.slot >= 0) {
      ranges_.dcost[of.slot] = -of.dlambda;
    }
  }
  products_ = {products_.now, 0.0, 0.0, 0.0};
  steepest_ = {};
  for (State& at : states_) {
    at.dxi = at.k - at.scaling * at.push;
    at.ds = (at.target - at.s * at.dxi) / at.xi;
    products_.by_primal += at.dxi * at.s;
    products_.by_dual += at.xi * at.ds;
    products_.by_both += at.dxi * at.ds;
    steepest_.primal = std::max(steepest_.primal, -at.dxi / at.xi);
    steepest_.dual = std::max(steepest_.dual, -at.ds / at.s);
  }
  ranges_.expand();
}

double PriceProgram::complementarity(Step along) const {
  return products_.at(along) + ranges_.complementarity(along);
}

/// A linear program may move its primal and its dual variables by different lengths.
Step PriceProgram::max_step(double share) const {
  Step steepest{std::max(share, steepest_.primal), std::max(share, steepest_.dual)};
  ranges_.steepest(steepest);
  return {share / steepest.primal, share / steepest.dual};
}

void PriceProgram::advance(Step along) {
  ranges_.advance(along);
  for (State& at : states_) {
    at.xi += along.primal * at.dxi;
    at.s += along.dual * at.ds;
  }
  tau_ += along.dual * dtau_;
  for (Claim& of : claims_) {
    of.lambda += along.dual * of.dlambda;
  }
}

double PriceProgram::bound() const {
  double bound = -kInfinity;
  for (Eigen::Index i = 0; i < market_.states(); ++i) {
    double push = 0.0;
    for (Eigen::Index k = 0; k < market_.claims(); ++k) {
      push -= claims_[k].lambda * market_.payoffs(k, i);
    }
    bound = std::max(bound, push);
  }
  for (const Claim& of : claims_) {
    const double worth = of.demand + of.lambda;
    bound += of.slot < 0 ? worth * of.price
                         : std::max(worth * ranges_.low(of.slot), worth * ranges_.high(of.slot));
  }
  return bound;
}

double PriceProgram::objective() const {
  double revenue = 0.0;
  for (const Claim& of : claims_) {
    revenue += of.demand * of.price;
  }
  return revenue;
}

double PriceProgram::largest_multiplier() const {
  double largest = 0.0;
  for (const Claim& of : claims_) {
    largest = std::max(largest, std::abs(of.best_lambda));
  }
  return largest;
}

bool PriceProgram::keep_best(double tolerance) {
  // A bound below the objective is rounding, of multipliers grown too large: no better than above.
  const double merit = std::max(std::abs(bound() - objective()), primal_residual_);
  if (merit < merit_) {
    merit_ = merit;
    for (State& at : states_) {
      at.best_xi = at.xi;
    }
    for (Claim& of : claims_) {
      of.best_lambda = of.lambda;
    }
    best_primal_residual_ = primal_residual_;
    best_dual_residual_ = dual_residual_;
  }
  return merit <= tolerance;
}

}  // namespace kpm
