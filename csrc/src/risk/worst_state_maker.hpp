// The maker for whom only the worst state counts: (5), the LP (31).
#pragma once

#include "risk/maker.hpp"

namespace kpm {

/// C(L) = max L. C* is zero on the simplex: no distribution is penalised.
class WorstStateMaker final : public Maker {
 public:
  explicit WorstStateMaker(Eigen::Index states);

  double set_losses(const ArrayView& losses) override;
  double slope(const ArrayView& direction) override;
  void marginal_quote(const double* payoff, double* bid, double* ask) override;
  double increment(const ArrayView& change, Array* prices) override;
  double conjugate(const ArrayView& /*g*/) override { return 0.0; }
  double conjugate_at_vertex(Eigen::Index /*state*/) override { return 0.0; }

 private:
  Array deviation_;
  Eigen::Index worst_states_ = 0;
};

}  // namespace kpm
