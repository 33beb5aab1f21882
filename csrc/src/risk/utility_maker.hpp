// The maker with logarithmic utility of wealth: Chen and Pennock.
#pragma once

#include "risk/logarithmic_change.hpp"
#include "risk/maker.hpp"
#include "risk/maker_function.hpp"

namespace kpm {

/// C(L) is the root of sum pi ln(m0 + C - L) = ln m0: trading leaves expected utility unchanged.
class LogUtilityFunction final : public MakerFunction {
 public:
  LogUtilityFunction(const ArrayView& prior, double wealth, Arena& arena);

  double evaluate(const ArrayView& loss) override;
  void prepare_curvature() override;
  double conjugate(const ArrayView& g, const ArrayView& p) const override;
  double resolution() const override { return wealth_; }
  PriceTerms price_terms() const override { return {0.0, &orders_, wealth_}; }
  Array idle_room(const PricedLosses& priced, const std::vector<int>& idle) const override;

  const Slice& prior() const { return p_; }
  /// m0 + C - L where C was last evaluated, wealth by state, and its logarithm, which wealth too
  /// small for a double has, too.
  const Slice& left() const { return left_; }
  const Slice& log_left() const { return log_left_; }

 private:
  const double wealth_;
  Slice below_, left_, log_left_;
  Slice orders_;  // m pi
};

class UtilityMaker final : public Maker {
 public:
  UtilityMaker(const ArrayView& prior, double wealth);

  double set_losses(const ArrayView& losses) override;
  double slope(const ArrayView& direction) override {
    return dot(state_prices_.data(), direction.data(), states());
  }
  bool block_costs(const double* payoff, const double* shares, Eigen::Index sizes, double* down,
                   double* up) override {
    return blocks().costs(payoff, shares, sizes, down, up);
  }
  double increment(const ArrayView& change, Array* prices) override;
  double conjugate(const ArrayView& g) override { return function_.conjugate(g, g); }
  double conjugate_at_vertex(Eigen::Index /*state*/) override {
    return states() == 1 ? 0.0 : wealth_;
  }

 private:
  LogarithmicChange& blocks();

  const double wealth_;
  LogUtilityFunction function_;
  Array gap_;
  LogarithmicChange blocks_;
  bool has_base_ = false;  ///< whether blocks_ knows the position
};

}  // namespace kpm
