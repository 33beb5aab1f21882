// A count of looks at the limits, for tests of what a limit leaves.
#pragma once

#include <cstdint>

namespace kpm {

/// Every look at the limits is counted, however short the work between two of them, and from one of
/// them on the clearing is stopped, whatever the time. On one thread.
struct Looks {
  std::int64_t stop_at = -1;  ///< the number of the look that stops; negative: none
  std::int64_t count = 0;     ///< of looks so far
  double longest = 0.0;       ///< operations from one look to the next, at most

  void note(double operations) {
    ++count;
    longest = longest < operations ? operations : longest;
  }
  bool struck() const { return stop_at >= 0 && count > stop_at; }
};

}  // namespace kpm
