// The quadratic maker: state prices are the projection of beliefs shifted by losses.
#pragma once

#include "risk/maker.hpp"

namespace kpm {

/// C(L) = max over the simplex of g.L - c |g - pi|^2, at the projection of pi + L / 2c.
class QuadraticMaker final : public Maker {
 public:
  QuadraticMaker(const ArrayView& prior, double curvature);

  double set_losses(const ArrayView& losses) override;
  double slope(const ArrayView& direction) override {
    return dot(state_prices_.data(), direction.data(), states());
  }
  double increment(const ArrayView& change, Array* prices) override;
  double conjugate(const ArrayView& g) override;
  double conjugate_at_vertex(Eigen::Index state) override;

 private:
  const Array prior_;
  const double c_;
  Array idle_;   ///< what an unpriced state's loss lacks to be priced, money; zero where g > 0
  Array moved_;  ///< a change of g
};

}  // namespace kpm
