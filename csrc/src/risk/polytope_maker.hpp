// The maker with a polytope of priors: Theorem 1, and the paper's example 8.1.
#pragma once

#include <vector>

#include "numerics/arena.hpp"
#include "risk/maker.hpp"

namespace kpm {

/// C(L) = (1/alpha) ln max over the vertices of E_p e^{alpha L}; the greatest E_p L for alpha = 0.
/// Where several vertices attain the maximum, the subgradients are the hull of theirs.
class PolytopeMaker final : public Maker {
 public:
  PolytopeMaker(const Matrix& vertices, double risk_aversion);

  double set_losses(const ArrayView& losses) override;
  double slope(const ArrayView& direction) override;
  void marginal_quote(const double* payoff, double* bid, double* ask) override;
  double increment(const ArrayView& change, Array* prices) override;
  /// min KL(g|p) / alpha over the hull; for alpha = 0 zero on the hull and infinite elsewhere.
  double conjugate(const ArrayView& g) override;
  double conjugate_at_vertex(Eigen::Index state) override;

 private:
  double cost_of(const Array& deviation);
  void mean_of_attained(Array& prices) const;

  const Matrix vertices_;
  const double a_;
  Array possible_;   ///< (states) one where some prior has a chance, else zero
  Array deviation_;  ///< losses less the largest of a possible state
  Array power_;      ///< e^{alpha deviation} and its excess over one; the deviation for alpha = 0
  Array excess_;
  Array growth_;
  Array moved_;
  Array value_;        ///< (priors) expectation
  Array gap_;          ///< (priors) what it lacks of the largest, relative to that
  double mean_ = 1.0;  ///< the largest
  double cost_ = 0.0;  ///< of the deviations
  std::vector<Eigen::Index> attained_;
  Matrix prices_;  ///< (priors, states) the subgradients of those attained
};

}  // namespace kpm
