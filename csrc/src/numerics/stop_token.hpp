// One way for a call's work to be told to stop.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>

namespace kpm {

/// Made by the thread that calls, handed by reference to whatever works for it: search, selection
/// and the solvers under them. Only the caller's thread asks for Ctrl-C or a callback's answer, at
/// most every 20 ms, for that may mean taking Python's lock, and once when the deadline has come;
/// the other threads read what it was told.
class StopToken {
 public:
  using Clock = std::chrono::steady_clock;

  /// `wanted` says whether anybody still waits for the work. `looking`, if any, is told of every
  /// look, and of the operations ahead; then each is a look, and asks.
  explicit StopToken(std::function<bool()> wanted, std::function<void(double)> looking = nullptr,
                     Clock::time_point deadline = Clock::time_point::max())
      : wanted_(std::move(wanted)),
        deadline_(deadline),
        caller_(std::this_thread::get_id()),
        looking_(std::move(looking)) {
    renew();
  }
  StopToken(const StopToken&) = delete;
  StopToken& operator=(const StopToken&) = delete;

  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }
  void stop() { stopped_.store(true, std::memory_order_relaxed); }

  /// Operations that go unheard at most, unless a single step of the work has more.
  double grain() const { return looking_ ? 0.0 : kGrain; }

  /// Whether to stop, with so many operations ahead before the next look; asks if it is time to.
  bool poll(double ahead = 0.0) {
    if (looking_) {
      looking_(ahead);
      return poll_now();
    }
    if (overdue_ && ahead > kAffordable) {
      stop();
    } else if (!stopped() && std::this_thread::get_id() == caller_ && Clock::now() >= next_) {
      poll_now();
    }
    return stopped();
  }

  /// Asks at once. The caller's thread only.
  bool poll_now() {
    next_ = next_look();
    if (!stopped() && wanted_ && !wanted_()) {
      stop();
    }
    return stopped();
  }

  /// From here on the next part of the work, which is asked for even though a limit has struck: it
  /// has one interval to finish before it is stopped as well, and begins nothing that takes longer.
  /// After the deadline it has no time at all.
  /// The caller's thread only, when no other works.
  void renew() {
    overdue_ = stopped();
    stopped_.store(false, std::memory_order_relaxed);
    next_ = Clock::now() < deadline_ ? next_look() : deadline_;
  }

 private:
  Clock::time_point next_look() const {
    const Clock::time_point now = Clock::now();
    return now < deadline_ ? std::min(now + kInterval, deadline_) : now + kInterval;
  }

  static constexpr auto kInterval = std::chrono::milliseconds(20);
  static constexpr double kGrain = 1e5;       // operations: some tens of microseconds
  static constexpr double kAffordable = 2e7;  // operations that take about as long

  std::function<bool()> wanted_;
  Clock::time_point deadline_;
  std::thread::id caller_;
  std::function<void(double)> looking_;  // told of every look: for tests
  Clock::time_point next_;
  std::atomic<bool> stopped_{false};
  bool overdue_ = false;
};

}  // namespace kpm
