// The quadratic maker: state prices are the projection of beliefs shifted by losses.
#pragma once

#include "risk/maker.hpp"
#include "risk/maker_function.hpp"

namespace kpm {

/// C(L) = max over the simplex of g.L - c |g - pi|^2, at the projection of pi + L / 2c.
class QuadraticFunction final : public MakerFunction {
 public:
  QuadraticFunction(const ArrayView& prior, double curvature, Arena& arena);

  double evaluate(const ArrayView& loss) override;
  void prepare_curvature() override;
  double conjugate(const ArrayView& g, const ArrayView& p) const override;
  double resolution() const override { return c_; }
  PriceTerms price_terms() const override { return {c_, nullptr, 0.0}; }
  Array idle_room(const PricedLosses& priced, const std::vector<int>& idle) const override;

  const Slice& prior() const { return p_; }
  /// What an unpriced state's loss lacks to be priced, money; zero where g > 0.
  const Slice& idle() const { return idle_; }

 private:
  const double c_;
  Slice below_, idle_;
  Slice floor_;  // the least change of each price
};

class QuadraticMaker final : public Maker {
 public:
  QuadraticMaker(const ArrayView& prior, double curvature);

  double set_losses(const ArrayView& losses) override;
  double slope(const ArrayView& direction) override {
    return dot(state_prices_.data(), direction.data(), states());
  }
  double increment(const ArrayView& change, Array* prices) override;
  double conjugate(const ArrayView& g) override { return function_.conjugate(g, g); }
  double conjugate_at_vertex(Eigen::Index state) override;

 private:
  QuadraticFunction function_;
  const double c_;
  Array moved_;      ///< losses
  Array e_, floor_;  ///< the change of g, and the least
};

}  // namespace kpm
