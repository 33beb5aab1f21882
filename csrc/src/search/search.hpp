// What the searches have in common: settings, results, and the reports on the way.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "kpm/kpm.hpp"
#include "numerics/stop_token.hpp"
#include "search/candidate.hpp"

namespace kpm {

struct SearchSettings {
  double tolerance = 1e-8;     ///< the gap to prove
  int threads = 1;             ///< 0: all processors that no other search works on
  double thread_delay = 0.0;   ///< seconds of work that one thread does alone
  StopToken* token = nullptr;  ///< asked now and then, and within cells
  /// Called now and then by the calling thread; may stop the token.
  std::function<void(const Progress&)> report;
};

struct SearchResult {
  Status status = Status::kOptimal;   ///< else what ended the search
  std::vector<Candidate> candidates;  ///< cells as good as the best, ordered by cell
  double value = -kInfinity;
  double upper_bound = kInfinity;
  Progress progress;
  std::int64_t iterations = 0;
  int threads = 1;
};

/// Asks the token and reports at intervals. The calling thread only.
class Reporter {
 public:
  using Clock = std::chrono::steady_clock;

  /// `next`: of the first report.
  Reporter(const SearchSettings& settings, Clock::time_point next)
      : settings_(settings), next_(next) {}

  /// With what `progress` returns, if it is time, or `at_once`.
  template <class MakeProgress>
  void report(MakeProgress&& progress, bool at_once = false) {
    StopToken& token = *settings_.token;
    // Where nobody looks, the time of the last poll will do: reading it takes longer than a node's
    // bookkeeping.
    const Clock::time_point now = settings_.report ? token.now() : token.seen();
    if (token.stopped() || (!at_once && now < next_)) {
      return;
    }
    next_ = now + kInterval;
    if (!token.poll_now(now) && settings_.report) {
      settings_.report(progress());
    }
  }

  static constexpr auto kInterval = std::chrono::milliseconds(20);

 private:
  const SearchSettings& settings_;
  Clock::time_point next_;
};

}  // namespace kpm
