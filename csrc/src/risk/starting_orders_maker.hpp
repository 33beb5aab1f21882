// The maker of CPCAM (3), who puts starting orders on every state; in sequence the log SCPM.
#pragma once

#include "risk/logarithmic_change.hpp"
#include "risk/maker.hpp"
#include "risk/maker_function.hpp"

namespace kpm {

/// C(L) = min_t t - sum delta ln(t - L), with g = delta / (t - L) at the t where g sums to one.
class StartingOrdersFunction final : public MakerFunction {
 public:
  StartingOrdersFunction(const ArrayView& delta, Arena& arena);

  double evaluate(const ArrayView& loss) override;
  void prepare_curvature() override;
  double conjugate(const ArrayView& g, const ArrayView& p) const override;
  double resolution() const override { return total_; }
  PriceTerms price_terms() const override { return {0.0, &delta_, 0.0}; }
  Array idle_room(const PricedLosses& priced, const std::vector<int>& idle) const override;

  /// t - L: what the starting orders leave in each state where C was last evaluated.
  const Slice& room() const { return room_; }
  /// The u with sum delta / (u + below) = 1, for losses `below` >= 0 the largest.
  double least_room(const ArrayView& below) const;

 private:
  const double total_;   // sum delta
  Slice delta_, share_;  // and its distribution
  Slice room_;
};

class StartingOrdersMaker final : public Maker {
 public:
  explicit StartingOrdersMaker(const ArrayView& delta);

  double set_losses(const ArrayView& losses) override;
  double slope(const ArrayView& direction) override {
    return dot(state_prices_.data(), direction.data(), states());
  }
  bool block_costs(const double* payoff, const double* shares, Eigen::Index sizes, double* down,
                   double* up) override {
    return blocks().costs(payoff, shares, sizes, down, up);
  }
  double increment(const ArrayView& change, Array* prices) override;
  double conjugate(const ArrayView& g) override;
  double conjugate_at_vertex(Eigen::Index state) override;

 private:
  LogarithmicChange& blocks();

  const Array delta_;
  const double of_nothing_;  ///< C(0)
  StartingOrdersFunction function_;
  Array moved_;
  LogarithmicChange blocks_;
  bool has_base_ = false;  ///< whether blocks_ knows the position
};

}  // namespace kpm
