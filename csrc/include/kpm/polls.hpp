// A count of polls of the limits, for tests of what a clearing returns when a limit strikes.
#pragma once

#include <csignal>
#include <cstdint>

namespace kpm {

/// Counts every poll of the limits, however short the work between two of them. At a given poll the
/// clearing is stopped, whatever the time, or a signal is raised, which the caller's `interrupted`
/// must notice. For one thread.
struct Polls {
  std::int64_t stop_at = -1;  ///< the number of the poll that stops; negative: none
  int signal = 0;             ///< raised at that poll instead, if not zero
  std::int64_t count = 0;     ///< polls so far
  std::int64_t search = 0;    ///< of those, the search's; the rest are the selection's
  double longest = 0.0;       ///< most operations between two polls

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
