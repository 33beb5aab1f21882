#include "risk/risk_curvature.hpp"

#include <cmath>
#include <cstddef>

#include "numerics/inner_products.hpp"

namespace kpm {

RiskCurvature::RiskCurvature(const ArrayView& p, const ArrayView& g, double risk_aversion,
                             double multiplier)
    : states_(g.size(), kColumns), root_of_weight_(std::sqrt(1.0 / multiplier)) {
  states_.col(kPrice) = g;
  states_.col(kRootOfP) = p.sqrt();
  states_.col(kRootOfFlow) = (risk_aversion * g).sqrt();
  states_.col(kDeviation) = 0.0;
  if (worst_case_moves()) {
    for (Eigen::Index i = 0; i < g.size(); ++i) {
      states_(i, kDeviation) = p[i] > 0.0 ? (g[i] - p[i]) / states_(i, kRootOfP) : 0.0;
    }
    variance_ = dot(of_states(kDeviation), of_states(kDeviation), g.size());
  }
}

void RiskCurvature::root_of_prices(const double* payoff, double* root) const {
  const double* const flow = of_states(kRootOfFlow);
  const double value = dot(payoff, of_states(kPrice), states_.rows());
  for (Eigen::Index i = 0; i < states_.rows(); ++i) {
    root[i] = (payoff[i] - value) * flow[i];
  }
}

void RiskCurvature::root_of_worst_case(const double* payoff, double* root) const {
  const double* const g = of_states(kPrice);
  const double* const root_of_p = of_states(kRootOfP);
  const double* const deviation = of_states(kDeviation);
  const Eigen::Index states = states_.rows();
  const double mean = dot(payoff, g, states);  // of u P under p
  double along = 0.0;
  for (Eigen::Index i = 0; i < states; ++i) {
    const double of_p = root_of_p[i];
    root[i] = of_p > 0.0 ? payoff[i] * g[i] / of_p - mean * of_p : 0.0;
    along += root[i] * deviation[i];
  }
  const double share = variance_ > 0.0 ? along / variance_ : 0.0;
  for (Eigen::Index i = 0; i < states; ++i) {
    root[i] = (root[i] - share * deviation[i]) * root_of_weight_;
  }
}

Matrix risk_curvature(const Matrix& payoffs, const std::vector<int>& claims, const ArrayView& p,
                      const ArrayView& g, double risk_aversion, double multiplier) {
  const RiskCurvature curve(p, g, risk_aversion, multiplier);
  const auto count = static_cast<Eigen::Index>(claims.size());
  Matrix rows(count, payoffs.cols());
  Matrix curvature = Matrix::Zero(count, count);
  const auto payoff = [&](Eigen::Index k) {
    return &payoffs(claims[static_cast<std::size_t>(k)], 0);
  };
  for (Eigen::Index k = 0; k < count; ++k) {
    curve.root_of_prices(payoff(k), &rows(k, 0));
  }
  add_gram(rows, curvature);
  if (curve.worst_case_moves()) {
    for (Eigen::Index k = 0; k < count; ++k) {
      curve.root_of_worst_case(payoff(k), &rows(k, 0));
    }
    add_gram(rows, curvature);
  }
  return curvature;
}

}  // namespace kpm
