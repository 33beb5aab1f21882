// Where long work asks whether to go on.
#pragma once

#include "numerics/stop_token.hpp"

namespace kpm {

/// Thrown out of work whose result nobody waits for any more.
struct Abandoned {};

/// A thread's count of what it has done since it last looked at the token. Long loops pass it;
/// once that may have taken some tens of microseconds it looks.
class Checkpoint {
 public:
  explicit Checkpoint(StopToken& token) : token_(token), left_(token.grain()) {}

  /// Before so many operations, of which none looks at the token.
  void pass(double operations) {
    left_ -= operations;
    if (left_ < 0.0) {
      left_ = token_.grain();
      if (token_.poll(operations)) {
        throw Abandoned();
      }
    }
  }

 private:
  StopToken& token_;
  double left_;
};

}  // namespace kpm
