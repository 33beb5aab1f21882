// The limits of a clearing.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>

#include "kpm/kpm.hpp"
#include "kpm/looks.hpp"
#include "numerics/stop_token.hpp"

namespace kpm {

/// What may end a clearing early, and what has.
class Limits {
 public:
  using Clock = StopToken::Clock;

  /// `orders`: so many fills are to be published. `to_undo`: what was compiled is to be undone
  /// then, in as long as it took. Asks whether the clearing was told to stop before it began: one
  /// shorter than the interval between two looks would never know. It has no time.
  Limits(const ClearSettings& settings, Clock::time_point start, std::int64_t orders,
         Clock::duration to_undo)
      : settings_(settings),
        told_before_(settings.interrupted && settings.interrupted()),
        status_(told_before_ ? Status::kInterrupted : Status::kOptimal),
        token_([this] { return wanted(); }, looking(settings.looks),
               told_before_ ? start : deadline(settings.time_limit, start, orders, to_undo)),
        patient_([this] { return !interrupted(); }) {}

  static std::function<void(double)> looking(Looks* looks) {
    if (looks == nullptr) {
      return nullptr;
    }
    return [looks](double operations) { looks->note(operations); };
  }

  StopToken& token() { return token_; }
  /// For what is finished after the deadline, too: only who waits for it can stop it.
  StopToken& patient() { return patient_; }
  /// Whether nothing is wanted but what needs no time.
  bool told_before() const { return told_before_; }
  /// What has stopped the search or the selection; optimal if nothing has.
  Status status() const { return status_; }

  /// From the search to the selection, which has the time that the search has left it.
  void begin_selection() { token_.renew(told_before_ || status_ == Status::kTimeLimit); }

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
    if (Clock::now() >= token_.until()) {
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
    const bool now = settings_.looks != nullptr && settings_.looks->struck();
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
  bool told_before_;
  Status status_;
  StopToken token_;
  StopToken patient_;
};

}  // namespace kpm
