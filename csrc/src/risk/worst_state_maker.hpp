// The maker for whom only the worst state counts: (5), the LP (31).
#pragma once

#include <vector>

#include "risk/maker.hpp"
#include "risk/maker_function.hpp"

namespace kpm {

/// C(L) = max L. C* is zero on the simplex: no distribution is penalised.
class WorstStateFunction final : public MakerFunction {
 public:
  using MakerFunction::MakerFunction;

  double evaluate(const ArrayView& loss) override;
  void prepare_curvature() override;
  double conjugate(const ArrayView& /*g*/, const ArrayView& /*p*/) const override { return 0.0; }
};

class WorstStateMaker final : public Maker {
 public:
  explicit WorstStateMaker(Eigen::Index states);

  double set_losses(const ArrayView& losses) override;
  double slope(const ArrayView& direction) override;
  void marginal_quote(const double* payoff, double* bid, double* ask) override;
  double increment(const ArrayView& change, Array* prices) override;
  double conjugate(const ArrayView& g) override { return function_.conjugate(g, g); }
  double conjugate_at_vertex(Eigen::Index /*state*/) override { return 0.0; }

 private:
  WorstStateFunction function_;
  Array deviation_;
  std::vector<Eigen::Index> worst_;  // states that tie
  Array at_worst_;                   // what a claim pays there
};

}  // namespace kpm
