#include "risk/risk_curvature.hpp"

#include <cmath>
#include <cstddef>

#include "numerics/inner_products.hpp"

namespace kpm {

RiskCurvature::RiskCurvature(const ArrayView& p, const ArrayView& g, double risk_aversion,
                             double multiplier)
    : g_(g),
      root_of_p_(p.sqrt()),
      root_of_flow_((risk_aversion * g).sqrt()),
      deviation_(Array::Zero(g.size())),
      root_of_weight_(std::sqrt(1.0 / multiplier)) {
  if (worst_case_moves()) {
    for (Eigen::Index i = 0; i < g.size(); ++i) {
      deviation_[i] = p[i] > 0.0 ? (g[i] - p[i]) / root_of_p_[i] : 0.0;
    }
    variance_ = dot(deviation_.data(), deviation_.data(), g.size());
  }
}

void RiskCurvature::root_of_prices(const double* payoff, double* root) const {
  const double value = dot(payoff, g_.data(), g_.size());
  for (Eigen::Index i = 0; i < g_.size(); ++i) {
    root[i] = (payoff[i] - value) * root_of_flow_[i];
  }
}

void RiskCurvature::root_of_worst_case(const double* payoff, double* root) const {
  const double mean = dot(payoff, g_.data(), g_.size());  // of u P under p
  double along = 0.0;
  for (Eigen::Index i = 0; i < g_.size(); ++i) {
    const double of_p = root_of_p_[i];
    root[i] = of_p > 0.0 ? payoff[i] * g_[i] / of_p - mean * of_p : 0.0;
    along += root[i] * deviation_[i];
  }
  const double share = variance_ > 0.0 ? along / variance_ : 0.0;
  for (Eigen::Index i = 0; i < g_.size(); ++i) {
    root[i] = (root[i] - share * deviation_[i]) * root_of_weight_;
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
