#include "search/tree/tangent_bound.hpp"

namespace kpm {

TangentBound::TangentBound(const ScaledMarket& market, const std::vector<Corners>& corners)
    : market_(market), corners_(corners), measure_(market, arena_), loss_(market.states()) {
  multipliers_.reserve(market);
}

bool TangentBound::support(const Array& demand, const Array& lambda) {
  if (market_.kind == Ambiguity::kSimplex) {
    return false;
  }
  loss_ = -market_.inventory;
  for (int k = 0; k < market_.claims(); ++k) {
    if (demand[k] != 0.0) {
      loss_ += demand[k] * market_.payoffs.row(k).transpose().array();
    }
  }
  const double rho = measure_.evaluate(loss_);
  if (market_.kind == Ambiguity::kBall && !(measure_.multiplier() > 0.0)) {
    return false;
  }
  multipliers_.worst_case = measure_.worst_case() / measure_.worst_case().sum();
  Array& marginal = multipliers_.marginal_state_prices;
  marginal = multipliers_.worst_case * (market_.risk_aversion * (loss_ - rho)).exp();
  marginal /= marginal.sum();
  multipliers_.lambda = lambda;
  multipliers_.set(market_, (marginal * (loss_ - rho)).sum());
  return true;
}

}  // namespace kpm
