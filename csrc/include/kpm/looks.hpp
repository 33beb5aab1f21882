// A count of looks at the limits, for tests of what a limit leaves.
#pragma once

#include <csignal>
#include <cstdint>

namespace kpm {

/// Every look at the limits is counted, however short the work between two of them, and from one of
/// them on the clearing is stopped, whatever the time; or a signal is raised there, which the
/// caller's `interrupted` must notice. On one thread.
struct Looks {
  std::int64_t stop_at = -1;  ///< the number of the look that stops; negative: none
  int signal = 0;             ///< raised at that look instead, if not zero
  std::int64_t count = 0;     ///< of looks so far
  std::int64_t search = 0;    ///< of those, how many the search took; the rest are the selection's
  double longest = 0.0;       ///< operations from one look to the next, at most

  void note(double operations) {
    ++count;
    longest = longest < operations ? operations : longest;
    if (signal != 0 && count == stop_at + 1) {
      std::raise(signal);
    }
  }
  bool struck() const { return signal == 0 && stop_at >= 0 && count > stop_at; }
};

}  // namespace kpm
