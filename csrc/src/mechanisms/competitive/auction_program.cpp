#include "mechanisms/competitive/auction_program.hpp"

#include <algorithm>
#include <cmath>

#include "mechanisms/competitive/knightian_block.hpp"
#include "mechanisms/competitive/polytope_block.hpp"
#include "mechanisms/competitive/price_block.hpp"
#include "numerics/inner_products.hpp"
#include "numerics/products.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

constexpr double kStart = 0.05;  // first complementarity products over the money at stake

std::unique_ptr<MakerBlock> make_block(const ScaledMarket& market, const ScaledMaker& maker,
                                       const MakerFunction& cost, Arena& arena) {
  switch (maker.kind) {
    case MakerKind::kKnightian:
      return std::make_unique<KnightianBlock>(market, arena);
    case MakerKind::kPolytope:
      return std::make_unique<PolytopeBlock>(maker, cost, arena);
    default:
      return std::make_unique<PriceBlock>(maker, cost, arena);
  }
}

}  // namespace

AuctionProgram::AuctionProgram(const ScaledMarket& market, const ScaledMaker& maker,
                               const std::vector<Ladder>& ladders, Arena& arena)
    : market_(market),
      ladders_(ladders),
      rungs_(market.claims(), arena),
      function_(make_function(market, maker, arena)),
      maker_(make_block(market, maker, *function_, arena)),
      base_(arena.array(market.states())),
      loss_(arena.array(market.states())),
      dloss_(arena.array(market.states())),
      price_(arena.array(market.claims())),
      dprice_(arena.array(market.claims())),
      stake_(arena.array(market.claims())),
      scale_(arena.array(market.claims())),
      ddemand_(arena.array(market.claims())),
      e_(arena.array(market.claims())),
      step_price_(arena.array(market.claims())),
      own_(arena.array(market.claims())),
      projection_(arena.array(maker_->root_size())),
      roots_(arena.matrix(market.claims(), maker_->root_size())),
      scaled_roots_(arena.matrix(market.claims(), maker_->root_size())),
      matrix_(
          arena.matrix(market.narrow ? 0 : market.claims(), market.narrow ? 0 : market.claims())),
      curvature_(arena.matrix(market.claims(), market.claims())),
      factor_(matrix_.rows(), arena),
      none_(arena.matrix(market.claims(), 0)),
      ones_(arena.array(market.narrow ? market.claims() : 0)),
      nothing_(arena.array(ones_.size())),
      unused_(arena.array(ones_.size())),
      best_demand_(Array::Zero(market.claims())),
      best_g_(maker.prior),
      best_p_(maker.prior),
      best_weights_(Array::Constant(
          maker.priors.rows(),
          1.0 / static_cast<double>(std::max<Eigen::Index>(1, maker.priors.rows())))) {
  if (market.narrow) {
    ones_.setOnes();
    narrow_.emplace(market.claims(), 0, maker_->root_size(), arena);
  }
  base_ = -market.inventory;
  base_ -= base_.maxCoeff();
  magnitude_ = base_.abs().maxCoeff();
}

void AuctionProgram::load(const ArrayView& prices) {
  best_gap_ = kInfinity;
  rungs_.clear();
  for (int k = 0; k < market_.claims(); ++k) {
    const Ladder& ladder = ladders_[static_cast<std::size_t>(k)];
    rungs_.sample(k, ladder.rung(prices[k]), ladder);
  }
  rungs_.weigh();
  for (int k = 0; k < market_.claims(); ++k) {
    const Ladder& ladder = ladders_[static_cast<std::size_t>(k)];
    stake_[k] = ladder.demand.front() - ladder.demand.back();
  }
  start_ = kStart * std::max(rungs_.total_stake(), kLeastStake);
}

void AuctionProgram::start(const Attempt& attempt) {
  rungs_.start(start_, !attempt.again);
  tau_ = start_;
  bend_ = 0.0;
  losses();
  maker_->start(loss_, start_, attempt);
  price_out();
}

void AuctionProgram::losses() {
  multiply_transposed(market_.payoffs, rungs_.demand, loss_);
  loss_ += base_;
}

/// Price the claims with the maker's marginal state prices: the bound, and the rungs that are to
/// join.
void AuctionProgram::price_out() {
  const Slice& g = maker_->g();
  const double mass = g.sum();
  multiply(market_.payoffs, g, price_);
  bound_ = maker_->conjugate() - (g * base_).sum() / mass;
  bool changed = rungs_.drop_idle(price_, tau_);
  for (int k = 0; k < market_.claims(); ++k) {
    const Ladder& ladder = ladders_[static_cast<std::size_t>(k)];
    const double price = price_[k] / mass;
    const int rung = ladder.rung(price);
    const auto at = static_cast<std::size_t>(rung);
    bound_ += ladder.value[at] - price * ladder.demand[at];
    changed = rungs_.insert(k, rung, ladder, price_[k], tau_) || changed;
  }
  if (changed) {
    rungs_.refresh();
    losses();
  }
}

void AuctionProgram::update_residuals() {
  maker_->update_residuals(loss_);
  rungs_.update_residuals(price_);
}

void AuctionProgram::factor() {
  for (int k = 0; k < market_.claims(); ++k) {
    scale_[k] = std::sqrt(rungs_.spread[k]);
    maker_->root(payoff(k), &roots_(k, 0));
    scaled_roots_.row(k) = scale_[k] * roots_.row(k);
  }
  if (narrow_) {
    narrow_->factor(none_, scaled_roots_, ones_, nothing_);
    return;
  }
  matrix_.setIdentity();
  add_gram(scaled_roots_, matrix_);
  factor_.compute(matrix_, 0.0);
}

const MatrixSlice& AuctionProgram::curvature() {
  maker_->update_residuals(loss_);
  maker_->prepare_curvature();
  for (int k = 0; k < market_.claims(); ++k) {
    maker_->root(payoff(k), &roots_(k, 0));
  }
  curvature_.setZero();
  add_gram(roots_, curvature_);
  return curvature_;
}

void AuctionProgram::set_affine_rhs() {
  rungs_.set_affine_rhs();
  maker_->set_affine_rhs();
}

void AuctionProgram::set_combined_rhs(double tau, bool second_order) {
  rungs_.set_combined_rhs(tau);
  maker_->set_combined_rhs(tau, second_order);
}

void AuctionProgram::set_centering_rhs(double tau) {
  rungs_.set_centering_rhs(tau);
  maker_->set_centering_rhs(tau);
}

void AuctionProgram::direction() {
  maker_->reduce();
  multiply(market_.payoffs, maker_->step_g(), step_price_);
  for (int k = 0; k < market_.claims(); ++k) {
    own_[k] = scale_[k] > 0.0 ? rungs_.step[k] / scale_[k] : 0.0;
  }
  e_ = own_ - scale_ * step_price_;
  if (narrow_) {
    unused_.setZero();
    narrow_->solve_in_place(unused_, e_);
  } else {
    factor_.solve_in_place(e_.data());
  }
  ddemand_ = scale_ * e_;
  multiply_transposed(market_.payoffs, ddemand_, dloss_);
  multiply_transposed(roots_, ddemand_, projection_);
  // dG follows from either of two equations; near a kink curvature * dy cancels, elsewhere the
  // other does.
  for (int k = 0; k < market_.claims(); ++k) {
    const double diagonal = narrow_ ? narrow_->risk_diagonal(k) : matrix_(k, k);
    dprice_[k] = diagonal > 2.0
                     ? (own_[k] - e_[k]) / scale_[k]
                     : step_price_[k] + dot(&roots_(k, 0), projection_.data(), roots_.cols());
  }
  rungs_.recover_step(dprice_);
  maker_->recover_step(dloss_);
}

double AuctionProgram::complementarity(Step along) const {
  return rungs_.complementarity(along.primal) + maker_->complementarity(along.primal);
}

Step AuctionProgram::max_step(double share) const {
  double inverse_step = share;
  rungs_.ratio_test(inverse_step);
  maker_->ratio_test(inverse_step);
  const double step = share / inverse_step;
  return {step, step};
}

Step AuctionProgram::shorten(Step along) {
  const double step = maker_->shorten(along.primal, complementarity({}) / degree(),
                                      complementarity(along) / degree());
  return {step, step};
}

void AuctionProgram::advance(Step along) {
  e_ = price_ + along.primal * dprice_;  // as expected
  rungs_.advance(along.primal);
  losses();
  maker_->advance(along.primal, loss_);
  tau_ = complementarity({}) / degree();
  price_out();
  bend_ = (stake_ * (price_ - e_).abs()).sum();
}

void AuctionProgram::write_prices(Array& g, Array& p) const {
  g = maker_->g() / maker_->g().sum();
  p = g;  // of makers that tilt no prior
  maker_->write_worst_case(p);
}

bool AuctionProgram::keep_best(double tolerance) {
  const double objective = rungs_.value.sum() - function_->evaluate(loss_);
  const double gap = std::abs(bound_ - objective);
  if (gap < best_gap_) {
    best_gap_ = gap;
    best_demand_ = rungs_.demand;
    best_g_ = maker_->g() / maker_->g().sum();
    maker_->write_worst_case(best_p_);
    maker_->write_weights(best_weights_);
    best_ambiguity_price_ = maker_->ambiguity_price();
  }
  return gap <= tolerance;
}

}  // namespace kpm
