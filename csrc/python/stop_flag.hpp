// A flag that any thread raises and a clearing reads, neither of them with the interpreter's lock.
#pragma once

#include <atomic>

namespace kpm {

class StopFlag {
 public:
  void raise() { raised_.store(true, std::memory_order_relaxed); }
  bool raised() const { return raised_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> raised_{false};
};

}  // namespace kpm
