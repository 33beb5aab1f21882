#include "selection/least_regret.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/semidefinite_cholesky.hpp"

namespace kpm {

namespace {

constexpr int kIterations = 200;
// In units of the widest step: complementarity and constraints to the last digit of a share of it;
// the slope, a sum over the steps, to a hundred.
constexpr double kTolerance = 1e-15;
constexpr double kSlope = 1e-13;
constexpr double kOfTolerance = 0.01;  // what a step aims at, at least: well inside
constexpr double kNarrowest = 1e-300;  // a step's width whose inverse is a number
constexpr double kStart = 0.1;
constexpr double kToBoundary = 0.995;
constexpr double kPoorStep = 0.5;
constexpr double kBalance = 1e-3;  // the least product's share of their mean
constexpr double kCentring = 0.2;
constexpr double kShorter = 0.8;
constexpr double kShortest = 1e-6;

}  // namespace

Array project_on_face(const FaceProblem& problem, Checkpoint* checkpoint) {
  const Eigen::Index m = problem.start.size();
  const Eigen::Index d = problem.directions.cols();
  const Eigen::Index r = problem.room.size();
  const Eigen::Index rows = 2 * m + r;
  const double scale = std::max(kNarrowest, (problem.high - problem.low).maxCoeff());

  const bool linear = problem.rise.size() > 0;
  Vector slope = Vector::Zero(d);  // of the objective beside the regret
  if (linear) {
    slope = -problem.rise / problem.rise.norm();
  }

  // All constraints as  constraint t <= bound, in units of the widest step.
  Matrix constraint(rows, d);
  constraint << -problem.directions, problem.directions, problem.limits;
  Array bound(rows);
  bound << (problem.start - problem.low) / scale, (problem.high - problem.start) / scale,
      problem.room / scale;
  // No step is longer than one here, so no direction is than the root of m: where there is more
  // room than that it does not bind, and would only put the start out of balance.
  const Array most = 1.0 + std::sqrt(static_cast<double>(m)) * constraint.rowwise().norm().array();
  bound = bound.max(0.0).min(most);

  Vector t = Vector::Zero(d);
  Array slack = bound.max(kStart);
  Array dual = Array::Constant(rows, kStart);
  Matrix hessian(d, d);
  Arena arena;
  SemidefiniteCholesky factor(d, arena);
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    if (checkpoint != nullptr) {
      checkpoint->pass(static_cast<double>(d * d) * static_cast<double>(m + rows + d));
    }
    const Array y = problem.start / scale + (problem.directions * t).array();
    Array gradient = Array::Zero(m);
    Array curvature = Array::Zero(m);
    for (Eigen::Index k = 0; k < m && !linear; ++k) {
      const double off = y[k] - problem.target[k] / scale;
      const double size = (off > 0.0 ? problem.above[k] : problem.below[k]) / scale;
      const double other = (off > 0.0 ? problem.below[k] : problem.above[k]) / scale;
      curvature[k] = 2.0 / (size > 0.0 ? size : other);
      gradient[k] = curvature[k] * off;
    }
    const Array primal = bound - (constraint * t).array() - slack;
    const Vector stationary = slope + problem.directions.transpose() * gradient.matrix() +
                              constraint.transpose() * dual.matrix();
    const double tau = (slack * dual).sum() / static_cast<double>(rows);
    if (tau < kTolerance && primal.abs().maxCoeff() < kTolerance &&
        stationary.cwiseAbs().maxCoeff() < kSlope) {
      break;
    }
    const Array weight = dual / slack;
    hessian.noalias() =
        problem.directions.transpose() * curvature.matrix().asDiagonal() * problem.directions;
    hessian.noalias() += constraint.transpose() * weight.matrix().asDiagonal() * constraint;
    factor.compute(hessian, 0.0);

    // Predictor, then centring by its success and second-order terms (Mehrotra).
    Vector dt;
    Array dslack, ddual;
    const auto direction = [&](const Array& product) {
      dt = -stationary - constraint.transpose() * (product / slack - weight * primal).matrix();
      factor.solve_in_place(dt);
      dslack = primal - (constraint * dt).array();
      ddual = product / slack - weight * dslack;
    };
    const auto reach = [&] {
      const double inverse_step =
          std::max((-dslack / slack).maxCoeff(), (-ddual / dual).maxCoeff());
      return inverse_step > 0.0 ? 1.0 / inverse_step : 2.0;
    };
    direction(-slack * dual);
    const double affine = std::min(1.0, reach());
    const double after =
        ((slack + affine * dslack) * (dual + affine * ddual)).sum() / static_cast<double>(rows);
    const double ratio = after / tau;
    const double target = std::max(ratio * ratio * ratio * tau, kOfTolerance * kTolerance);
    direction(target - slack * dual - dslack * ddual);
    double step = std::min(1.0, kToBoundary * reach());
    const double now = (slack * dual).minCoeff() / tau;
    const auto balanced = [&] {
      const Array product = (slack + step * dslack) * (dual + step * ddual);
      return product.minCoeff() >= std::min(kBalance, 0.5 * now) * product.mean();
    };
    if (step < kPoorStep || !balanced()) {
      // Second-order terms can make it cycle; steps to the centre cannot.
      direction(kCentring * tau - slack * dual);
      step = std::min(1.0, kToBoundary * reach());
      while (!balanced() && step > kShortest) {
        step *= kShorter;
      }
    }
    if (!dt.allFinite()) {
      break;  // orders too far apart in size for these sums: the last point serves
    }
    t += step * dt;
    slack += step * dslack;
    dual += step * ddual;
  }
  return (problem.start + scale * (problem.directions * t).array())
      .max(problem.low)
      .min(problem.high);
}

}  // namespace kpm
