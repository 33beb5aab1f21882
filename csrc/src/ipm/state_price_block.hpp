// State prices inside the interior-point method.
#pragma once

#include <algorithm>
#include <cmath>

#include "book/scaled_market.hpp"
#include "ipm/central_level.hpp"
#include "numerics/arena.hpp"
#include "numerics/inner_products.hpp"

namespace kpm {

/// xi on the simplex, priced by the multipliers lambda of pi = P xi:
///   s = tau + P' lambda >= 0,   sum xi = 1,   xi s -> 0.
/// Eliminating tau centres the payoffs under the weights xi / s; a Newton step is reduced to
///   P dxi = step - gram dlambda
/// with a positive semi-definite gram matrix. O(K^2 N) per iteration, no transcendental function.
class StatePriceBlock {
 public:
  StatePriceBlock(const ScaledMarket& market, Arena& arena)
      : lambda(arena.array(market.claims())),
        dlambda(arena.array(market.claims())),
        price(arena.array(market.claims())),
        step(arena.array(market.claims())),
        gram(square_unless(market.structured(), market, arena)),
        market_(market),
        weight_(arena.array(market.states())),
        mean_(arena.array(market.claims())),
        centred_(rows_unless(market.structured(), market, market.states(), arena)),
        xi_(arena.array(market.states())),
        s_(arena.array(market.states())),
        dxi_(arena.array(market.states())),
        ds_(arena.array(market.states())),
        target_(arena.array(market.states())),
        scaling_(arena.array(market.states())),
        rs_(arena.array(market.states())),
        u_(arena.array(market.states())) {
    weight_ = 0.5 * (market.prior + 1.0 / market.states());
  }

  void start(double tau) {
    xi_ = weight_;
    s_.setConstant(tau);
    tau_ = tau;
    lambda.setZero();
    dlambda.setZero();
    dxi_.setZero();
    ds_.setZero();
    dtau_ = 0.0;
  }

  /// From the start to the central path at `tau` for these multipliers.
  void move_to(const ArrayView& multipliers, double tau) {
    lambda = multipliers;
    market_.owe(lambda, s_);
    tau_ = -kInfinity;
    for (Eigen::Index i = 0; i < s_.size(); ++i) {
      tau_ = std::max(tau_, tau * weight_[i] - s_[i]);
    }
    tau_ = central_level(tau_, [&](double level, double& sum, double& slope) {
      for (Eigen::Index i = 0; i < s_.size(); ++i) {
        const double part = tau * weight_[i] / (level + s_[i]);
        sum += part;
        slope += part / (level + s_[i]);
      }
    });
    for (Eigen::Index i = 0; i < s_.size(); ++i) {
      s_[i] += tau_;
      xi_[i] = tau * weight_[i] / s_[i];
    }
  }

  double degree() const { return 1.0; }

  /// Residuals and prices.
  void update_residuals() {
    scaling_ = xi_ / s_;
    total_scaling_ = scaling_.sum();
    mass_residual_ = 1.0 - xi_.sum();
    market_.value_claims(xi_, price);
    market_.value_step(scaling_, mean_);
    mean_ /= total_scaling_;
    market_.owe(lambda, rs_);
    rs_ = s_ - tau_ - rs_;
  }

  /// Payoffs centred and weighted: the reduced matrix is their gram matrix. Disjoint and nested
  /// sets make do with scaling().
  const MatrixSlice& centre() {
    centred_ = market_.payoffs.colwise() - mean_.matrix();
    centred_ *= scaling_.sqrt().matrix().asDiagonal();
    return centred_;
  }

  /// The reduced matrix.
  void factor() {
    centre();
    gram.setZero();
    add_gram(centred_, gram);
  }

  void set_affine_rhs() { target_ = -xi_ * s_; }
  void set_combined_rhs(double tau) { target_ = tau * weight_ - xi_ * s_ - dxi_ * ds_; }
  void set_centering_rhs(double tau) { target_ = tau * weight_ - xi_ * s_; }

  /// P dxi for unchanged multipliers, into step.
  void reduce() {
    u_ = target_ / s_ + scaling_ * rs_;
    excess_ = u_.sum() - mass_residual_;
    market_.value_step(u_, step);
    step -= mean_ * excess_;
  }

  /// Recover dxi and ds from dlambda.
  void recover_step() {
    dtau_ = excess_ / total_scaling_ - (mean_ * dlambda).sum();
    market_.owe_step(dlambda, dxi_);
    dxi_ = u_ - scaling_ * (dtau_ + dxi_);
    ds_ = (target_ - s_ * dxi_) / xi_;
  }

  double complementarity(double along) const {
    return ((xi_ + along * dxi_) * (s_ + along * ds_)).sum();
  }

  /// Raise `inverse_step` to the greatest relative decrease per unit step.
  void ratio_test(double& inverse_step) const {
    inverse_step = std::max({inverse_step, -(dxi_ / xi_).minCoeff(), -(ds_ / s_).minCoeff()});
  }

  void advance(double along) {
    xi_ += along * dxi_;
    s_ += along * ds_;
    tau_ += along * dtau_;
    lambda += along * dlambda;
  }

  const Slice& state_prices() const { return xi_; }
  const Slice& scaling() const { return scaling_; }  ///< xi / s

  Slice lambda;      ///< (claims) multipliers of pi = P xi
  Slice dlambda;     ///< (claims) set by the owner before recover_step()
  Slice price;       ///< (claims) P xi
  Slice step;        ///< (claims) P dxi for unchanged multipliers
  MatrixSlice gram;  ///< (claims, claims) lower triangle of -d(P dxi)/d(dlambda)

 private:
  const ScaledMarket& market_;
  Slice weight_;  // of xi s among the products: the prior, but no state negligible
  Slice mean_;    // (claims)
  MatrixSlice centred_;
  Slice xi_, s_, dxi_, ds_, target_, scaling_, rs_, u_;  // (states)
  double tau_ = 0.0, dtau_ = 0.0;
  double total_scaling_ = 1.0, mass_residual_ = 0.0, excess_ = 0.0;
};

}  // namespace kpm
