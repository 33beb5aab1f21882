#include "risk/risk_curvature.hpp"

#include <cmath>
#include <cstddef>

#include "numerics/inner_products.hpp"

namespace kpm {

Matrix risk_curvature(const Matrix& payoffs, const std::vector<int>& claims, const Array& p,
                      const Array& g, double risk_aversion, double multiplier) {
  const auto count = static_cast<Eigen::Index>(claims.size());
  const Eigen::Index states = payoffs.cols();
  Matrix rows(count, states);
  Matrix curvature = Matrix::Zero(count, count);
  for (Eigen::Index k = 0; k < count; ++k) {
    const double* const payoff = &payoffs(claims[static_cast<std::size_t>(k)], 0);
    const double value = dot(payoff, g.data(), states);
    for (Eigen::Index i = 0; i < states; ++i) {
      rows(k, i) = (payoff[i] - value) * std::sqrt(risk_aversion * g[i]);
    }
  }
  add_gram(rows, curvature);
  const double weight = 1.0 / multiplier;
  if (weight > 0.0) {
    Array deviation(states);  // of u, times the root of p
    for (Eigen::Index i = 0; i < states; ++i) {
      deviation[i] = p[i] > 0.0 ? (g[i] - p[i]) / std::sqrt(p[i]) : 0.0;
    }
    const double variance = dot(deviation.data(), deviation.data(), states);
    for (Eigen::Index k = 0; k < count; ++k) {
      const double* const payoff = &payoffs(claims[static_cast<std::size_t>(k)], 0);
      const double mean = dot(payoff, g.data(), states);  // of u P under p
      double along = 0.0;
      for (Eigen::Index i = 0; i < states; ++i) {
        const double root = std::sqrt(p[i]);
        rows(k, i) = root > 0.0 ? payoff[i] * g[i] / root - mean * root : 0.0;
        along += rows(k, i) * deviation[i];
      }
      const double share = variance > 0.0 ? along / variance : 0.0;
      for (Eigen::Index i = 0; i < states; ++i) {
        rows(k, i) = (rows(k, i) - share * deviation[i]) * std::sqrt(weight);
      }
    }
    add_gram(rows, curvature);
  }
  return curvature;
}

}  // namespace kpm
