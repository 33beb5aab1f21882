// Where long computations check whether to stop.
#pragma once

#include "numerics/stop_token.hpp"

namespace kpm {

/// Thrown out of a computation whose result is no longer needed.
struct Abandoned {};

/// Operations that an iteration of an interior-point method with so many unknowns counts as: for
/// few unknowns about a hundred times their cube.
inline double operations_of_iteration(double unknowns) {
  constexpr double kOfAny = 4e3;
  return unknowns * unknowns * unknowns + kOfAny;
}

/// Operations (a second at most) for which a clearing that loses nothing, or the proof of the
/// bound, is still worked on after an interruption.
constexpr double kGrace = 1e9;

/// A thread's count of operations since it last polled the token. Long loops call it; once the work
/// may have taken some tenths of a millisecond it polls.
class Checkpoint {
 public:
  /// `unpolled`: operations to begin with that are done whatever the limit.
  explicit Checkpoint(StopToken& token, double unpolled = 0.0)
      : token_(token), left_(token.grain() > 0.0 ? unpolled + token.grain() : 0.0) {}

  /// Before so many operations, during which the token is not polled.
  void pass(double operations) {
    if (stops(operations)) {
      throw Abandoned();
    }
  }
  /// The same, for who has something to finish.
  bool stops(double operations) {
    left_ -= operations;
    if (left_ >= 0.0) {
      return false;
    }
    left_ = token_.grain();
    return token_.poll(operations);
  }

 private:
  StopToken& token_;
  double left_;
};

}  // namespace kpm
