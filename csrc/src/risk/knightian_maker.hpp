// The Knightian maker: the risk measure rho of (25), with its kinks. LMSR is its Omega = 0.
#pragma once

#include <optional>
#include <vector>

#include "book/scaled_market.hpp"
#include "numerics/arena.hpp"
#include "risk/ball_support.hpp"
#include "risk/maker.hpp"
#include "risk/maker_function.hpp"
#include "risk/risk_curvature.hpp"
#include "risk/risk_measure.hpp"
#include "risk/tilt_change.hpp"
#include "risk/two_valued_change.hpp"

namespace kpm {

/// rho(L) = (1/alpha) ln max { E_p e^{alpha L} : KL(p|q) <= Omega }.
class KnightianFunction final : public MakerFunction {
 public:
  KnightianFunction(const ArrayView& prior, Ambiguity kind, double risk_aversion, double ambiguity,
                    Arena& arena);

  double evaluate(const ArrayView& loss) override;
  void prepare_curvature() override;
  Eigen::Index root_size() const override { return 2 * g_.size(); }
  void root(const double* payoff, double* root) const override;
  double conjugate(const ArrayView& g, const ArrayView& p) const override;
  double resolution() const override { return 1.0 / a_; }
  Array idle_room(const PricedLosses& priced, const std::vector<int>& idle) const override;

  RiskMeasure& measure() { return measure_; }

 private:
  const Ambiguity kind_;
  const double a_;
  RiskMeasure measure_;
  std::optional<RiskCurvature> curvature_;  // none where the worst states' prices do not move
};

/// Where the ball reaches beyond the worst states S alone, Omega_S = Omega + ln q(S) > 0, rho has a
/// kink: every g on S with KL(g|q_S) <= Omega_S is a subgradient. Elsewhere p is one tilt of the
/// prior and g = p e^{alpha L} / E_p e^{alpha L} is the gradient.
class KnightianMaker final : public Maker {
 public:
  KnightianMaker(const ArrayView& prior, double risk_aversion, double ambiguity);

  double set_losses(const ArrayView& losses) override;
  double slope(const ArrayView& direction) override;
  void marginal_quote(const double* payoff, double* bid, double* ask) override;
  void marginal_quotes(const double* payoffs, Eigen::Index rows, double* bid, double* ask) override;
  bool block_costs(const double* payoff, const double* shares, Eigen::Index sizes, double* down,
                   double* up) override;
  double increment(const ArrayView& change, Array* prices) override;
  double conjugate(const ArrayView& g) override;
  double conjugate_at_vertex(Eigen::Index state) override;

 private:
  void gather_worst_states(double rounding);
  bool is_flat() const { return static_cast<Eigen::Index>(on_worst_.size()) == states(); }
  const double* on_worst_states(const double* payoff);
  double two_valued_cost(const TwoOutcomes& claim, double shares) const;
  bool flat_block_costs(const double* payoff, const double* shares, Eigen::Index sizes,
                        double* down, double* up);
  double flat_cost(const ArrayView& change, double low, double high);
  double risk_by_utility(const ArrayView& losses, double low, double high);
  double risk_of_change(const ArrayView& change, Array* prices);
  void block_by_states(const Eigen::Map<const Array>& payoffs, double low, double high,
                       double shares, double* down, double* up);
  const Array& closest_prior(const ArrayView& g);

  const double a_;
  const double omega_;
  const Ambiguity kind_;
  const Array prior_;
  KnightianFunction function_;
  BallSupport whole_;           ///< over the ball on all states, where there is one
  BallSupport kinked_;          ///< over the ball on S
  RiskMeasure two_;             ///< of two outcomes, a state and the others
  TiltChange change_;           ///< how p moves with the losses, where it is a tilt
  TwoValuedChange two_valued_;  ///< the same for trades in claims of two payoffs

  Array deviation_;  ///< losses less their maximum
  Array moved_;      ///< these after a change
  Array utility_;    ///< of the losses after a change, less that of the largest
  Array worst_;      ///< (states) a direction, or the prior, on S only; a change
  std::vector<Eigen::Index> on_worst_;
  double radius_ = 0.0;       ///< Omega_S
  double rho_ = 0.0;          ///< of the deviations
  bool kink_ = false;         ///< more than one subgradient
  bool worst_alone_ = false;  ///< p lives on S
  bool has_base_ = false;     ///< two_valued_ is at the current losses
};

}  // namespace kpm
