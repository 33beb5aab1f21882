// The maker's risk measure rho and its worst case, for given losses.
#pragma once

#include "book/scaled_market.hpp"
#include "numerics/arena.hpp"

namespace kpm {

/// rho(L) = (1/a) ln max { sum p_i e^{a L_i} : KL(p|q) <= Omega }, the certainty equivalent of a
/// loss; (25) and (40) in certainty equivalents. By (25) the maximum, in terms of the utilities
/// phi_i = expm1(a L_i) / a, is the least of  mu Omega + mu ln sum q_i e^{phi_i / mu}  over mu > 0,
/// and that mu the root of KL(p|q) = Omega with p_i ~ q_i e^{phi_i / mu}.
class RiskMeasure {
 public:
  RiskMeasure(const ScaledMarket& market, Arena& arena)
      : RiskMeasure(market.prior, market.risk_aversion, arena) {
    set_ball(market.prior, market.ambiguity, market.kind);
  }
  /// `risk_aversion` may be zero: the greatest expectation over the ball.
  RiskMeasure(const ArrayView& prior, double risk_aversion, double ambiguity, Arena& arena)
      : RiskMeasure(prior, risk_aversion, arena) {
    set_ball(prior, ambiguity);
  }

  /// Change the ball, to one with as many states or fewer.
  void set_ball(const ArrayView& prior, double ambiguity) {
    set_ball(prior, ambiguity, kind_of(prior, ambiguity));
  }

  /// rho(loss), to rounding accuracy: any p in the ball gives a lower bound and the optimal one is
  /// found by one monotone equation in 1/mu. Also sets worst_case() and multiplier(). An
  /// approximate answer, rho and the multiplier, saves half the steps.
  double evaluate(const ArrayView& loss, double near_rho = 0.0, double near_multiplier = 0.0);

  /// p and g of the losses just evaluated, `rho` their risk: the worst case, and the state prices
  /// g_i = p_i e^{a (L_i - rho)} that it gives an averse maker, each with the sum one.
  template <class States>
  void support(const ArrayView& loss, double rho, States& p, States& g) const {
    p = worst_case_ / worst_case_.sum();
    g = p * (risk_aversion_ * (loss - rho)).exp();
    g /= g.sum();
  }

  const Slice& worst_case() const { return worst_case_; }
  double multiplier() const { return multiplier_; }  ///< d rho / d Omega

 private:
  struct State {
    double q;
    double deviation;  // loss minus its maximum
    double utility;    // e^{a deviation}
    double phi;        // expm1(a deviation) / a, up to a constant
    double ratio;      // p / q
    double excess;     // p / q - 1
  };

  RiskMeasure(const ArrayView& prior, double risk_aversion, Arena& arena);

  void set_ball(const ArrayView& prior, double ambiguity, Ambiguity kind);
  bool is_at_kink(double worst_probability) const;
  bool centre_on_likeliest();
  double start() const;
  double variance(double unit) const;
  void solve_for_multiplier(double x);
  void tilt(double inverse_mu);

  double risk_aversion_;
  double ambiguity_ = 0.0;
  bool ball_ = false;
  double highest_ = 0.0;  // phi of the worst states
  Span<State> states_;
  Slice worst_case_;
  double multiplier_ = 0.0;
  double entropy_ = 0.0;
};

}  // namespace kpm
