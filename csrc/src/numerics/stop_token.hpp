// How the work of a call is stopped.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>

namespace kpm {

/// Made by the calling thread, passed by reference to everything that works for it: search,
/// selection and the solvers under them. Only the caller's thread checks for Ctrl-C or asks a
/// callback, at most every 20 ms, because that may mean taking Python's lock, and once at the
/// deadline; the other threads read the outcome.
class StopToken {
 public:
  using Clock = std::chrono::steady_clock;

  /// `wanted` is false once the result is no longer needed. `polling`, if any, is called at every
  /// poll, with the operations ahead; then each poll asks. `now`: the clock's, for who has it: to
  /// read it may take as long as hundreds of instructions.
  explicit StopToken(std::function<bool()> wanted, std::function<void(double)> polling = nullptr,
                     Clock::time_point deadline = Clock::time_point::max(),
                     Clock::time_point now = Clock::now())
      : wanted_(std::move(wanted)),
        deadline_(deadline),
        until_(deadline),
        caller_(std::this_thread::get_id()),
        polling_(std::move(polling)),
        grain_(polling_         ? 0.0
               : now < deadline ? kGrain
                                : kNoGrain) {
    renew(false, now);
  }
  StopToken(const StopToken&) = delete;
  StopToken& operator=(const StopToken&) = delete;

  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }
  void stop() { stopped_.store(true, std::memory_order_relaxed); }

  /// Operations between two polls at most, unless a single step of the work has more.
  double grain() const { return grain_; }

  /// Whether to stop, with so many operations ahead before the next poll; asks if it is time to.
  bool poll(double ahead = 0.0) {
    if (polling_) {
      polling_(ahead);
      return poll_now();
    }
    if (overdue_ && ahead > affordable_) {
      stop();
    } else if (!stopped() && std::this_thread::get_id() == caller_) {
      if (now() >= next_) {
        poll_now(seen_);
      }
    }
    return stopped();
  }

  /// Asks at once. The caller's thread only.
  bool poll_now(Clock::time_point now = Clock::now()) {
    seen_ = now;
    next_ = next_poll(now);
    if (!stopped() && wanted_ && !wanted_()) {
      stop();
    }
    return stopped();
  }

  /// The clock's time, and when it was read last: a few operations ago, where work polls. The
  /// caller's thread only.
  Clock::time_point now() { return seen_ = Clock::now(); }
  Clock::time_point seen() const { return seen_; }

  /// Whether there is a deadline.
  bool timed() const { return deadline_ != Clock::time_point::max(); }

  /// When this part of the work ends.
  Clock::time_point until() const { return until_; }

  /// Has this part end so long before the deadline, for the next one's sake: what that needs, and
  /// what it would like, of which it gets half of what is left at most. The caller's thread only,
  /// when no other works.
  void leave(Clock::duration needed, Clock::duration liked) {
    if (timed()) {
      const Clock::duration left = deadline_ - needed - seen_;
      until_ = deadline_ - needed - std::min(liked, std::max(left / 2, Clock::duration::zero()));
      next_ = std::min(next_, until_);
    }
  }

  /// The next part of the work begins, even where a limit has struck: it then has one interval to
  /// finish before it is stopped as well, and begins nothing that takes longer. Where the limit was
  /// `time` it has what is left before the deadline instead, and after the deadline no time at all.
  /// The caller's thread only, when no other works.
  void renew(bool time = false, Clock::time_point now = Clock::now()) {
    seen_ = now;
    overdue_ = stopped();
    affordable_ = kAffordable;
    if (time) {
      affordable_ *= std::max(
          std::chrono::duration<double>(deadline_ - now) / std::chrono::duration<double>(kInterval),
          0.0);
    }
    stopped_.store(false, std::memory_order_relaxed);
    until_ = deadline_;
    next_ = now < deadline_ ? next_poll(now) : deadline_;
  }

 private:
  Clock::time_point next_poll(Clock::time_point now) const {
    return now < until_ ? std::min(now + kInterval, until_) : now + kInterval;
  }

  static constexpr auto kInterval = std::chrono::milliseconds(20);
  static constexpr double kGrain = 5e5;       // operations: tenths of a millisecond
  static constexpr double kNoGrain = 5e4;     // where there is no time from the start
  static constexpr double kAffordable = 2e7;  // operations that take about as long

  std::function<bool()> wanted_;
  Clock::time_point deadline_;
  Clock::time_point until_;  // the deadline, or before it
  std::thread::id caller_;
  std::function<void(double)> polling_;  // called at every poll: for tests
  double grain_;
  Clock::time_point next_;
  Clock::time_point seen_;
  std::atomic<bool> stopped_{false};
  bool overdue_ = false;
  double affordable_ = kAffordable;
};

}  // namespace kpm
