// Where long work asks whether to go on.
#pragma once

#include <functional>
#include <utility>

namespace kpm {

/// Thrown out of work whose result nobody waits for any more.
struct Abandoned {};

/// Long loops pass it with what they have done since; once that may have taken some tenths of a
/// millisecond it asks.
class Checkpoint {
 public:
  /// `wanted` says whether to go on.
  explicit Checkpoint(std::function<bool()> wanted) : wanted_(std::move(wanted)) {}

  void pass(double operations) {
    left_ -= operations;
    if (left_ < 0.0) {
      left_ = kOperations;
      if (!wanted_()) {
        throw Abandoned();
      }
    }
  }

 private:
  static constexpr double kOperations = 1e6;

  std::function<bool()> wanted_;
  double left_ = kOperations;
};

}  // namespace kpm
