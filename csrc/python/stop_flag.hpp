// A flag that any thread raises and a clearing reads, neither of them with the interpreter's lock.
#pragma once

#include <pybind11/stl.h>  // converts the optional one

#include <atomic>
#include <functional>
#include <optional>

namespace kpm {

class StopFlag {
 public:
  void raise() { raised_.store(true, std::memory_order_relaxed); }
  bool raised() const { return raised_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> raised_{false};
};

/// No pointer: pybind11 looks for an attribute of None before it takes it for one, which takes as
/// long as a twentieth of a small clearing.
using OptionalStop = std::optional<std::reference_wrapper<const StopFlag>>;

}  // namespace kpm
