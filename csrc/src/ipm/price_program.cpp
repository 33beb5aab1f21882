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

PriceProgram::PriceProgram(const ScaledMarket& market)
    : market_(market),
      ranges_(market.claims()),
      slot_(static_cast<std::size_t>(market.claims()), -1),
      scaled_(market.claims(), market.states()),
      matrix_(market.claims(), market.claims()),
      column_(market.claims()) {
  for (Array* array : {&xi_, &s_, &dxi_, &ds_, &target_, &scaling_, &rs_, &k_, &push_, &best_xi_}) {
    array->setZero(market.states());
  }
  for (Array* array : {&demand_, &price_, &lambda_, &dlambda_, &mean_, &coupling_, &best_lambda_}) {
    array->setZero(market.claims());
  }
  weight_ = 0.5 * (market.prior + 1.0 / market.states());
  factor_.reserve(market.claims());
}

void PriceProgram::load(const Hull& hull) {
  ranges_.clear();
  double stake = 0.0;
  for (int k = 0; k < hull.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const Range range = hull.price_range(k);
    price_[k] = range.low;
    demand_[k] = 0.0;
    slot_[at] = -1;
    if (range.high > range.low) {
      demand_[k] = hull.demand[hull.first[at]];
      slot_[at] = ranges_.size();
      ranges_.add(range.low, range.high - range.low);
      stake += std::abs(demand_[k]) * (range.high - range.low);
    }
  }
  start_ = kStart * std::max(stake, kLeastStake);
}

void PriceProgram::start(const Attempt& /*attempt*/) {
  ranges_.start(start_);
  xi_ = weight_;
  s_ = start_;
  tau_ = start_;
  lambda_ = 0.0;
  dxi_ = 0.0;
  ds_ = 0.0;
}

void PriceProgram::factor() {
  const Matrix& payoffs = market_.payoffs;
  const Eigen::Index claims = payoffs.rows();
  const Eigen::Index states = payoffs.cols();
  push_ = tau_;
  double mass = 0.0;
  total_scaling_ = 0.0;
  for (Eigen::Index i = 0; i < states; ++i) {
    scaling_[i] = xi_[i] / s_[i];
    total_scaling_ += scaling_[i];
    mass += xi_[i];
  }
  normalisation_ = 1.0 - mass;
  primal_residual_ = std::abs(normalisation_);
  for (Eigen::Index k = 0; k < claims; ++k) {
    const double* const row = &payoffs(k, 0);
    const int slot = slot_[static_cast<std::size_t>(k)];
    double price = 0.0;
    double mean = 0.0;
    for (Eigen::Index i = 0; i < states; ++i) {
      price += row[i] * xi_[i];
      mean += row[i] * scaling_[i];
      push_[i] += row[i] * lambda_[k];
    }
    mean_[k] = mean / total_scaling_;
    if (slot >= 0) {
      price_[k] = ranges_.x[slot];
      ranges_.cost[slot] = -(demand_[k] + lambda_[k]);
    }
    coupling_[k] = price - price_[k];
    primal_residual_ = std::max(primal_residual_, std::abs(coupling_[k]));
  }
  ranges_.factor();
  dual_residual_ = ranges_.dual_residual;
  for (Eigen::Index i = 0; i < states; ++i) {
    rs_[i] = s_[i] - push_[i];
    dual_residual_ = std::max(dual_residual_, std::abs(rs_[i]));
  }

  // Eliminating tau centres the payoffs under the weights xi / s; centring before the product
  // keeps the matrix positive semi-definite where subtracting a rank-one term would not.
  for (Eigen::Index k = 0; k < claims; ++k) {
    for (Eigen::Index i = 0; i < states; ++i) {
      scaled_(k, i) = payoffs(k, i) - mean_[k];
    }
  }
  for (Eigen::Index k = 0; k < claims; ++k) {
    const double* const row = &scaled_(k, 0);
    for (Eigen::Index i = 0; i < states; ++i) {
      k_[i] = row[i] * scaling_[i];
    }
    for (Eigen::Index l = 0; l <= k; ++l) {
      const double* const other = &scaled_(l, 0);
      double sum = 0.0;
      for (Eigen::Index i = 0; i < states; ++i) {
        sum += k_[i] * other[i];
      }
      matrix_(k, l) = sum;
    }
    const int slot = slot_[static_cast<std::size_t>(k)];
    if (slot >= 0) {
      matrix_(k, k) += ranges_.spread[slot];
    }
  }
  factor_.compute(matrix_, kRedundant);
}

void PriceProgram::target_predictor() {
  ranges_.target_predictor();
  target_ = -xi_ * s_;
}

void PriceProgram::target_corrector(double tau, bool /*second_order*/) {
  ranges_.target_corrector(tau);
  target_ = tau * weight_ - xi_ * s_ - dxi_ * ds_;
}

void PriceProgram::target_centre(double tau) {
  ranges_.target_centre(tau);
  target_ = tau * weight_ - xi_ * s_;
}

void PriceProgram::direction() {
  const Matrix& payoffs = market_.payoffs;
  const Eigen::Index claims = payoffs.rows();
  const Eigen::Index states = payoffs.cols();
  ranges_.condense();
  double sum = -normalisation_;
  for (Eigen::Index i = 0; i < states; ++i) {
    k_[i] = target_[i] / s_[i] + scaling_[i] * rs_[i];
    sum += k_[i];
  }
  for (Eigen::Index k = 0; k < claims; ++k) {
    const double* const row = &payoffs(k, 0);
    double step = coupling_[k] - mean_[k] * sum;
    for (Eigen::Index i = 0; i < states; ++i) {
      step += row[i] * k_[i];
    }
    const int slot = slot_[static_cast<std::size_t>(k)];
    column_[k] = slot >= 0 ? step - ranges_.step[slot] : step;
  }
  factor_.solve_in_place(column_);
  dlambda_ = column_.array();

  dtau_ = sum / total_scaling_;
  for (Eigen::Index k = 0; k < claims; ++k) {
    dtau_ -= mean_[k] * dlambda_[k];
  }
  push_ = dtau_;
  for (Eigen::Index k = 0; k < claims; ++k) {
    const double* const row = &payoffs(k, 0);
    for (Eigen::Index i = 0; i < states; ++i) {
      push_[i] += row[i] * dlambda_[k];
    }
    const int slot = slot_[static_cast<std::size_t>(k)];
    if (slot >= 0) {
      ranges_.dcost[slot] = -dlambda_[k];
    }
  }
  for (Eigen::Index i = 0; i < states; ++i) {
    dxi_[i] = k_[i] - scaling_[i] * push_[i];
    ds_[i] = (target_[i] - s_[i] * dxi_[i]) / xi_[i];
  }
  ranges_.expand();
}

double PriceProgram::complementarity(Step along) const {
  double sum = ranges_.complementarity(along);
  for (Eigen::Index i = 0; i < xi_.size(); ++i) {
    sum += (xi_[i] + along.primal * dxi_[i]) * (s_[i] + along.dual * ds_[i]);
  }
  return sum;
}

/// A linear program may move its primal and its dual variables by different lengths.
Step PriceProgram::max_step(double share) const {
  Step steepest{share, share};
  ranges_.steepest(steepest);
  for (Eigen::Index i = 0; i < xi_.size(); ++i) {
    steepest.primal = std::max(steepest.primal, -dxi_[i] / xi_[i]);
    steepest.dual = std::max(steepest.dual, -ds_[i] / s_[i]);
  }
  return {share / steepest.primal, share / steepest.dual};
}

void PriceProgram::advance(Step along) {
  ranges_.advance(along);
  xi_ += along.primal * dxi_;
  s_ += along.dual * ds_;
  tau_ += along.dual * dtau_;
  lambda_ += along.dual * dlambda_;
}

double PriceProgram::bound() const {
  double bound = -kInfinity;
  for (Eigen::Index i = 0; i < xi_.size(); ++i) {
    double push = 0.0;
    for (Eigen::Index k = 0; k < lambda_.size(); ++k) {
      push -= lambda_[k] * market_.payoffs(k, i);
    }
    bound = std::max(bound, push);
  }
  for (Eigen::Index k = 0; k < lambda_.size(); ++k) {
    const int slot = slot_[static_cast<std::size_t>(k)];
    const double worth = demand_[k] + lambda_[k];
    bound += slot < 0 ? worth * price_[k]
                      : std::max(worth * ranges_.low(slot), worth * ranges_.high(slot));
  }
  return bound;
}

double PriceProgram::objective() const {
  double revenue = 0.0;
  for (Eigen::Index k = 0; k < lambda_.size(); ++k) {
    revenue += demand_[k] * price_[k];
  }
  return revenue;
}

bool PriceProgram::keep_best(double tolerance) {
  // A bound below the objective is rounding, of multipliers grown too large: no better than above.
  const double merit = std::max(std::abs(bound() - objective()), primal_residual_);
  if (merit < merit_) {
    merit_ = merit;
    best_xi_ = xi_;
    best_lambda_ = lambda_;
    best_primal_residual_ = primal_residual_;
    best_dual_residual_ = dual_residual_;
  }
  return merit <= tolerance;
}

}  // namespace kpm
