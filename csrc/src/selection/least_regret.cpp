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

/// The program in t, all constraints as  constraint t <= bound, in units of the widest step.
class RegretProgram {
 public:
  explicit RegretProgram(const FaceProblem& problem);

  /// Whether the point satisfies the conditions of an optimum.
  bool update_residuals();
  void factor();
  /// Mehrotra's: affine first, then centring by its success and second-order terms.
  void step();
  double work() const {
    return static_cast<double>(d_ * d_) * static_cast<double>(m_ + rows_ + d_);
  }
  bool is_finite() const { return dt_.allFinite(); }
  void advance();
  Array demand() const;

 private:
  void direction(const Array& product);
  double reach() const;
  bool balanced(double least) const;

  const FaceProblem& problem_;
  const Eigen::Index m_, d_, rows_;
  const double scale_;
  Vector slope_;  // of the objective beside the regret
  Matrix constraint_;
  Array bound_, slack_, dual_;
  Vector t_;
  Array primal_, weight_, curvature_;
  Vector stationary_;
  double tau_ = 0.0;
  Matrix hessian_;
  Arena arena_;
  SemidefiniteCholesky factor_;
  Vector dt_;
  Array dslack_, ddual_;
  double length_ = 0.0;
};

RegretProgram::RegretProgram(const FaceProblem& problem)
    : problem_(problem),
      m_(problem.start.size()),
      d_(problem.directions.cols()),
      rows_(2 * m_ + problem.room.size()),
      scale_(std::max(kNarrowest, (problem.high - problem.low).maxCoeff())),
      slope_(Vector::Zero(d_)),
      constraint_(rows_, d_),
      bound_(rows_),
      dual_(Array::Constant(rows_, kStart)),
      t_(Vector::Zero(d_)),
      hessian_(d_, d_),
      factor_(d_, arena_) {
  if (problem.rise.size() > 0) {
    slope_ = -problem.rise / problem.rise.norm();
  }
  constraint_ << -problem.directions, problem.directions, problem.limits;
  bound_ << (problem.start - problem.low) / scale_, (problem.high - problem.start) / scale_,
      problem.room / scale_;
  // No step is longer than one here, so no direction is than the root of m: where there is more
  // room than that it does not bind, and would only put the start out of balance.
  const Array most =
      1.0 + std::sqrt(static_cast<double>(m_)) * constraint_.rowwise().norm().array();
  bound_ = bound_.max(0.0).min(most);
  slack_ = bound_.max(kStart);
}

bool RegretProgram::update_residuals() {
  const Array y = problem_.start / scale_ + (problem_.directions * t_).array();
  Array gradient = Array::Zero(m_);
  curvature_ = Array::Zero(m_);
  for (Eigen::Index k = 0; k < m_ && problem_.rise.size() == 0; ++k) {
    const double off = y[k] - problem_.target[k] / scale_;
    const double size = (off > 0.0 ? problem_.above[k] : problem_.below[k]) / scale_;
    const double other = (off > 0.0 ? problem_.below[k] : problem_.above[k]) / scale_;
    curvature_[k] = 2.0 / (size > 0.0 ? size : other);
    gradient[k] = curvature_[k] * off;
  }
  primal_ = bound_ - (constraint_ * t_).array() - slack_;
  stationary_ = slope_ + problem_.directions.transpose() * gradient.matrix() +
                constraint_.transpose() * dual_.matrix();
  tau_ = (slack_ * dual_).sum() / static_cast<double>(rows_);
  return tau_ < kTolerance && primal_.abs().maxCoeff() < kTolerance &&
         stationary_.cwiseAbs().maxCoeff() < kSlope;
}

void RegretProgram::factor() {
  weight_ = dual_ / slack_;
  hessian_.noalias() =
      problem_.directions.transpose() * curvature_.matrix().asDiagonal() * problem_.directions;
  hessian_.noalias() += constraint_.transpose() * weight_.matrix().asDiagonal() * constraint_;
  factor_.compute(hessian_, 0.0);
}

void RegretProgram::direction(const Array& product) {
  dt_ = -stationary_ - constraint_.transpose() * (product / slack_ - weight_ * primal_).matrix();
  factor_.solve_in_place(dt_);
  dslack_ = primal_ - (constraint_ * dt_).array();
  ddual_ = product / slack_ - weight_ * dslack_;
}

/// The step at which a slack or a multiplier becomes zero.
double RegretProgram::reach() const {
  const double inverse_step =
      std::max((-dslack_ / slack_).maxCoeff(), (-ddual_ / dual_).maxCoeff());
  return inverse_step > 0.0 ? 1.0 / inverse_step : 2.0;
}

/// Whether no product falls short of `least` of their mean.
bool RegretProgram::balanced(double least) const {
  const Array product = (slack_ + length_ * dslack_) * (dual_ + length_ * ddual_);
  return product.minCoeff() >= least * product.mean();
}

void RegretProgram::step() {
  direction(-slack_ * dual_);
  const double affine = std::min(1.0, reach());
  const double after =
      ((slack_ + affine * dslack_) * (dual_ + affine * ddual_)).sum() / static_cast<double>(rows_);
  const double ratio = after / tau_;
  const double target = std::max(ratio * ratio * ratio * tau_, kOfTolerance * kTolerance);
  direction(target - slack_ * dual_ - dslack_ * ddual_);
  length_ = std::min(1.0, kToBoundary * reach());
  const double now = (slack_ * dual_).minCoeff() / tau_;
  const double least = std::min(kBalance, 0.5 * now);
  if (length_ < kPoorStep || !balanced(least)) {
    // Second-order terms can make it cycle; steps to the centre cannot.
    direction(kCentring * tau_ - slack_ * dual_);
    length_ = std::min(1.0, kToBoundary * reach());
    while (!balanced(least) && length_ > kShortest) {
      length_ *= kShorter;
    }
  }
}

void RegretProgram::advance() {
  t_ += length_ * dt_;
  slack_ += length_ * dslack_;
  dual_ += length_ * ddual_;
}

Array RegretProgram::demand() const {
  return (problem_.start + scale_ * (problem_.directions * t_).array())
      .max(problem_.low)
      .min(problem_.high);
}

}  // namespace

Array project_on_face(const FaceProblem& problem, Checkpoint* checkpoint) {
  RegretProgram program(problem);
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    if (checkpoint != nullptr) {
      checkpoint->pass(program.work());
    }
    if (program.update_residuals()) {
      break;
    }
    program.factor();
    program.step();
    if (!program.is_finite()) {
      break;  // orders too far apart in size for these sums: the last point serves
    }
    program.advance();
  }
  return program.demand();
}

}  // namespace kpm
