// The maker of CPCAM (3), who puts starting orders on every state; in sequence the log SCPM.
#pragma once

#include "risk/maker.hpp"

namespace kpm {

/// C(L) = min_t t - sum delta ln(t - L), with g = delta / (t - L) at the t where g sums to one.
class StartingOrdersMaker final : public Maker {
 public:
  explicit StartingOrdersMaker(const ArrayView& delta);

  double set_losses(const ArrayView& losses) override;
  double slope(const ArrayView& direction) override {
    return dot(state_prices_.data(), direction.data(), states());
  }
  double increment(const ArrayView& change, Array* prices) override;
  double conjugate(const ArrayView& g) override;
  double conjugate_at_vertex(Eigen::Index state) override;

 private:
  double solve_t(const ArrayView& losses) const;

  const Array delta_;
  const double total_;  ///< sum delta
  Array room_;          ///< t - L: what the starting orders leave in each state
  Array moved_;
};

}  // namespace kpm
