// The curvature of the risk in the demand of a cell's steps.
#pragma once

#include <memory>
#include <vector>

#include "book/scaled_market.hpp"
#include "numerics/dense.hpp"

namespace kpm {

/// Second derivatives of rho(P'y - w) in the y of some claims (RiskCurvature), of which Newton's
/// method needs no more than products and factors.
class StepCurvature {
 public:
  /// Of disjoint claims a diagonal less two squares, else a matrix.
  static std::unique_ptr<StepCurvature> of(const ScaledMarket& market, std::vector<int> claims);

  StepCurvature(const StepCurvature&) = delete;
  StepCurvature& operator=(const StepCurvature&) = delete;
  virtual ~StepCurvature() = default;

  /// At a worst case, state prices and d rho / d Omega: what follows is there.
  virtual void move_to(const ArrayView& p, const ArrayView& g, double multiplier) = 0;

  /// x less the curvature times the change of demand.
  virtual void take_product(const Array& change, Array& x) = 0;

  /// LDL' of the rows and columns of `open`, numbers of claims among those given, ascending.
  virtual void factor(const std::vector<Eigen::Index>& open) = 0;
  /// Of a row of the factor: zero where it depends on earlier ones, but for rounding.
  virtual double pivot_of(Eigen::Index row) const = 0;
  /// What depends on earlier rows is zero in the solution.
  virtual void solve_in_place(double* x) const = 0;

 protected:
  StepCurvature() = default;
};

}  // namespace kpm
