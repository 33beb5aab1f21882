// The maker with a polytope of priors: Theorem 1, and the paper's example 8.1.
#pragma once

#include <vector>

#include "numerics/arena.hpp"
#include "risk/maker.hpp"
#include "risk/maker_function.hpp"

namespace kpm {

/// (1/a) ln E_p e^{a loss} of one prior, and its gradient, wherever the others are.
double certainty_equivalent(const double* prior, double a, const ArrayView& loss, double* gradient);

/// C(L) = (1/alpha) ln max over the vertices of E_p e^{alpha L}; the greatest E_p L for alpha = 0.
/// Where several vertices attain the maximum, the subgradients are the hull of theirs, and
/// evaluate() finds the first one's.
class PolytopeFunction final : public MakerFunction {
 public:
  /// The vertices (priors, states) are borrowed.
  PolytopeFunction(const Matrix& vertices, double risk_aversion, Arena& arena);

  double evaluate(const ArrayView& loss) override;
  void prepare_curvature() override;
  double conjugate(const ArrayView& g, const ArrayView& p) const override;
  double resolution() const override { return a_ > 0.0 ? 1.0 / a_ : kInfinity; }
  Array idle_room(const PricedLosses& priced, const std::vector<int>& idle) const override;

  const Slice& possible() const { return possible_; }
  // Where C was last evaluated:
  const Slice& deviation() const { return deviation_; }
  const Slice& power() const { return power_; }
  const Slice& gap() const { return gap_; }
  double mean() const { return mean_; }
  double cost_of_deviation() const { return cost_; }
  /// The gradient of one vertex.
  template <class Row>
  void write_gradient(Eigen::Index vertex, Row&& row) const {
    row = vertices_.row(vertex).array() * power_.transpose();
    row /= row.sum();
  }

 private:
  double cost_of(const Slice& deviation);

  const Matrix& vertices_;
  const double a_;
  Slice possible_;   // (states) one where some prior has a chance, else zero
  Slice deviation_;  // losses less the largest of a possible state
  Slice power_;      // e^{alpha deviation} and its excess over one; the deviation for alpha = 0
  Slice excess_;
  Slice value_;        // (priors) expectation
  Slice gap_;          // (priors) what it lacks of the largest, relative to that
  double mean_ = 1.0;  // the largest
  double cost_ = 0.0;  // of the deviations
};

class PolytopeMaker final : public Maker {
 public:
  PolytopeMaker(const Matrix& vertices, double risk_aversion);

  double set_losses(const ArrayView& losses) override;
  double slope(const ArrayView& direction) override;
  void marginal_quote(const double* payoff, double* bid, double* ask) override;
  void marginal_quotes(const double* payoffs, Eigen::Index rows, double* bid, double* ask) override;
  bool block_costs(const double* payoff, const double* shares, Eigen::Index sizes, double* down,
                   double* up) override;
  double increment(const ArrayView& change, Array* prices) override;
  /// min KL(g|p) / alpha over the hull; for alpha = 0 zero on the hull and infinite elsewhere.
  double conjugate(const ArrayView& g) override;
  double conjugate_at_vertex(Eigen::Index state) override;

 private:
  const Matrix vertices_;
  const double a_;
  PolytopeFunction function_;
  PolytopeFunction elsewhere_;  ///< after a change that is large
  Array growth_, moved_;
  Array value_;  ///< (priors) expectation after a change
  Array gap_;    ///< (priors) the function's, of those tied for the maximum zero
  std::vector<Eigen::Index> attained_;
  Matrix prices_;  ///< (priors, states) the subgradients of those attained; room for whole tiles
};

}  // namespace kpm
