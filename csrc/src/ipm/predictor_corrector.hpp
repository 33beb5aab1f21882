// The loop of Mehrotra's predictor-corrector method, which solves every program here.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "ipm/step.hpp"

namespace kpm {

enum class LoopOutcome : std::uint8_t { kOptimal, kIterationLimit, kStalled };

/// What a new attempt may do differently.
struct Attempt {
  double caution;        ///< how closely the products may run ahead of the nonlinear residual
  double entropy_share;  ///< how much of the ball the start uses
  double edge = 0.5;     ///< how close to their ends variables may start
  double rare = 1e-6;    ///< the least weight of a rare state among the products
  /// A short step this many times as long as the last is no part of a stall.
  double growth = std::numeric_limits<double>::infinity();
  bool again = false;  ///< whether another has stalled: nothing is left out to save time
};

namespace predictor_corrector {

constexpr double kToBoundary = 0.9;  // least share of the step to the boundary
constexpr double kLeftBehind = 0.1;  // products may fall to this share of their target, no further
constexpr double kStallStep = 0.05;  // a step this short ...
constexpr int kStallSteps = 5;       // ... so many times in a row is a stall
constexpr double kPoorStep = 0.1;    // a step this short is tried again,
constexpr double kRecentring = 0.8;  // better centred
constexpr double kLeastCentring = 1e-6;
constexpr double kMostCentring = 0.99;
constexpr double kSecondOrder = 0.5;   // of a full affine step: a shorter one corrects less well
constexpr double kLeastTarget = 1e-3;  // products need not fall below this share of the tolerance
constexpr double kNearConvergence = 1e3;  // within this multiple of the tolerance points are kept

}  // namespace predictor_corrector

/// Whether complementarity products that add up to `gap` make the certified gap worth computing.
inline bool near_the_end(double gap, double tolerance) {
  return gap <= predictor_corrector::kNearConvergence * tolerance;
}

/// Iterate on `program` from its present point until its certified gap and its primal residual meet
/// the tolerance. The program keeps the best of the points near the end. Stalling ends the loop.
/// `pause` is called before each iteration, and may throw.
///
/// `tau` is what textbooks call mu (here mu is the ball's multiplier); `centring` their sigma,
/// (affine complementarity / complementarity)^3; a `Step` the primal and the dual step length. The
/// programs reduce their Newton systems as in docs/theory.md#the-interior-point-method.
template <class Program, class Pause>
LoopOutcome continue_predictor_corrector(Program& program, double tolerance, const Attempt& attempt,
                                         int max_iterations, int& iterations, Pause&& pause) {
  namespace pc = predictor_corrector;
  const Step now;
  int short_steps = 0;
  double last = std::numeric_limits<double>::infinity();
  while (true) {
    program.update_residuals();
    const double degree = program.degree();
    const double tau = program.complementarity(now) / degree;
    if (!std::isfinite(tau)) {
      return LoopOutcome::kStalled;
    }
    if (program.near_convergence(tau * degree, tolerance) && program.keep_best(tolerance)) {
      return LoopOutcome::kOptimal;
    }
    if (iterations >= max_iterations) {
      program.keep_best(tolerance);
      return LoopOutcome::kIterationLimit;
    }
    ++iterations;
    pause();

    program.factor();
    program.set_affine_rhs();
    program.direction();
    const Step affine = program.max_step(1.0);
    const double ratio = std::max(program.complementarity(affine) / (tau * degree), 0.0);
    const double centring =
        std::clamp(ratio * ratio * ratio, pc::kLeastCentring, pc::kMostCentring);
    const double target =
        std::max(pc::kLeastTarget * tolerance / degree,
                 std::min(tau, std::max(centring * tau, attempt.caution * program.nonlinearity())));

    program.set_combined_rhs(target, std::min(affine.primal, affine.dual) > pc::kSecondOrder);
    program.direction();
    // What reaches the boundary keeps a share of itself like that of the target in the products:
    // left further behind, it would want to grow by powers of ten later, where the step is linear
    // only.
    const double share = std::max(pc::kToBoundary, 1.0 - pc::kLeftBehind * target / tau);
    Step step = program.shorten(program.max_step(share));
    if (std::min(step.primal, step.dual) < pc::kPoorStep) {
      // The second-order terms mislead: centre instead.
      program.set_centering_rhs(std::max(target, pc::kRecentring * tau));
      program.direction();
      step = program.shorten(program.max_step(share));
    }
    const double longest = std::max(step.primal, step.dual);
    if (!(longest > 0.0)) {
      program.keep_best(tolerance);
      return LoopOutcome::kStalled;
    }
    program.advance(step);
    const bool stalls = longest < pc::kStallStep && !(longest >= attempt.growth * last);
    short_steps = stalls ? short_steps + 1 : 0;
    last = longest;
    if (short_steps >= pc::kStallSteps) {
      program.update_residuals();
      program.keep_best(tolerance);
      return LoopOutcome::kStalled;
    }
  }
}

/// The same from a fresh start.
template <class Program, class Pause>
LoopOutcome run_predictor_corrector(Program& program, double tolerance, const Attempt& attempt,
                                    int max_iterations, int& iterations, Pause&& pause) {
  program.start(attempt);
  return continue_predictor_corrector(program, tolerance, attempt, max_iterations, iterations,
                                      pause);
}

}  // namespace kpm
