// The limits of a clearing.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>

#include "kpm/kpm.hpp"
#include "kpm/polls.hpp"
#include "numerics/stop_token.hpp"

namespace kpm {

/// What may end a clearing early, and what has.
class Limits {
 public:
  using Clock = StopToken::Clock;

  /// `orders`: so many fills are to be published. `to_undo`: time to reserve for undoing what
  /// was compiled. Asks whether the clearing was interrupted before it began, which one shorter
  /// than the interval between two polls would never know: then it has no time.
  Limits(const ClearSettings& settings, Clock::time_point start, std::int64_t orders,
         Clock::duration to_undo)
      : settings_(settings),
        stopped_before_(settings.interrupted && settings.interrupted()),
        status_(stopped_before_ ? Status::kInterrupted : Status::kOptimal),
        token_([this] { return wanted(); }, polling(settings.polls),
               stopped_before_ ? start : deadline(settings.time_limit, start, orders, to_undo),
               start + to_undo),
        interruption_([this] { return !interrupted(); }, nullptr, Clock::time_point::max(),
                      start + to_undo) {}

  static std::function<void(double)> polling(Polls* polls) {
    if (polls == nullptr) {
      return nullptr;
    }
    return [polls](double operations) { polls->note(operations); };
  }

  StopToken& token() { return token_; }
  /// For what is finished after the deadline, too: only an interruption stops it.
  StopToken& interruption() { return interruption_; }
  /// Whether nothing is wanted but what needs no time.
  bool stopped_before() const { return stopped_before_; }
  /// What has stopped the search or the selection; optimal if nothing has.
  Status status() const { return status_; }

  /// From the search to the selection, which has the time that the search has left it.
  void begin_selection() {
    token_.renew(stopped_before_ || status_ == Status::kTimeLimit, token_.seen());
  }

  void report(const Progress& progress) {
    if (settings_.monitor && settings_.monitor(progress)) {
      status_ = Status::kInterrupted;
      token_.stop();
    }
  }

 private:
  bool wanted() {
    if (status_ == Status::kInterrupted) {
      return false;
    }
    if (token_.seen() >= token_.until()) {
      status_ = Status::kTimeLimit;
      return false;
    }
    return !interrupted() && !struck();
  }

  bool interrupted() {
    const bool now = settings_.interrupted && settings_.interrupted();
    if (now) {
      status_ = Status::kInterrupted;
    }
    return now;
  }

  bool struck() {
    const bool now = settings_.polls != nullptr && settings_.polls->struck();
    if (now) {
      status_ = Status::kInterrupted;
    }
    return now;
  }

  /// When search and selection end for the answer to be there in time: publication takes one of the
  /// clearings found, undoes what was compiled, and passes through the orders.
  static Clock::time_point deadline(double time_limit, Clock::time_point start, std::int64_t orders,
                                    Clock::duration to_undo) {
    constexpr double kLongest = 1e9;  // seconds that the clock can count
    constexpr double kToPublish = 5e-5;
    constexpr double kOfAnOrder = 2e-8;
    const double reserve = kToPublish + kOfAnOrder * static_cast<double>(orders) +
                           std::chrono::duration<double>(to_undo).count();
    const double wanted = std::min(time_limit, kLongest) - reserve;
    return start + std::chrono::duration_cast<Clock::duration>(
                       std::chrono::duration<double>(std::max(wanted, 0.0)));
  }

  const ClearSettings& settings_;
  bool stopped_before_;
  Status status_;
  StopToken token_;
  StopToken interruption_;
};

}  // namespace kpm
