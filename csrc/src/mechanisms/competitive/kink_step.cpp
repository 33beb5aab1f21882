#include "mechanisms/competitive/kink_step.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/linear_equations.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

/// Demand and level by  values' demand - level = apart,  which each function has a row of.
Eigen::MatrixXd equal_costs(const Matrix& values) {
  Eigen::MatrixXd rows(values.cols(), values.rows() + 1);
  rows.leftCols(values.rows()) = values.transpose();
  rows.rightCols(1).setConstant(-1.0);
  return rows;
}

KinkStep linear_step(const KinkResidual& residual) {
  const Eigen::Index m = residual.values.rows();
  KinkStep step;
  const Vector change =
      least_norm_solution(equal_costs(residual.values), residual.apart, kIdleCondition);
  step.demand = change.head(m);
  step.level = change[m];
  if (residual.mixed) {
    Eigen::MatrixXd mixture(m + 1, residual.values.cols());
    mixture.topRows(m) = residual.values;
    mixture.bottomRows(1).setOnes();
    Vector wanted(m + 1);
    wanted << residual.missing, residual.unmixed;
    step.weight = least_norm_solution(mixture, wanted, kIdleCondition);
  }
  return step;
}

KinkStep curved_step(const KinkResidual& residual) {
  const Eigen::Index m = residual.values.rows();
  const Eigen::Index c = residual.values.cols();
  Eigen::MatrixXd system = Eigen::MatrixXd::Zero(m + c + 1, m + c + 1);
  system.topLeftCorner(m, m) = residual.curvature;
  system.block(0, m, m, c) = residual.values;
  system.block(m, 0, c, m) = residual.values.transpose();
  system.block(m, m + c, c, 1).setConstant(-1.0);
  system.block(m + c, m, 1, c).setOnes();
  Vector wanted(m + c + 1);
  wanted << residual.missing, residual.apart, residual.unmixed;
  const Vector change = least_norm_solution(system, wanted, kIdleCondition);
  return {change.head(m), change.segment(m, c), change[m + c]};
}

}  // namespace

double KinkResidual::largest() const {
  const double prices = missing.size() > 0 ? missing.cwiseAbs().maxCoeff() : 0.0;
  return std::max({prices, apart.cwiseAbs().maxCoeff(), mixed ? std::abs(unmixed) : 0.0});
}

double KinkStep::largest() const {
  const double weights = weight.size() > 0 ? weight.cwiseAbs().maxCoeff() : 0.0;
  const double demands = demand.size() > 0 ? demand.cwiseAbs().maxCoeff() : 0.0;
  return std::max({demands, weights, std::abs(level)});
}

KinkStep kink_step(const KinkResidual& residual) {
  return residual.curvature.size() > 0 ? curved_step(residual) : linear_step(residual);
}

double operations_of_kink_step(double claims, double functions, bool curved) {
  const double unknowns = claims + 1.0;
  const double fewer = std::min(unknowns, functions);
  const double more = std::max(unknowns, functions);
  const double all = unknowns + functions;
  return 4.0 * (curved ? all * all * all : fewer * fewer * more);
}

}  // namespace kpm
