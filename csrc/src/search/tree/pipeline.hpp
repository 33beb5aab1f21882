// The nodes at work: begun in one order, their outcomes taken in the same, by any number of
// threads.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "search/search.hpp"
#include "search/team.hpp"
#include "search/tree/node.hpp"

namespace kpm {

/// A node at work, what was known when it was begun, and what comes of it.
struct Slot {
  Node node;
  std::int64_t id = 0;  // the node's
  double bound = kInfinity;
  double incumbent = -kInfinity;
  PseudoCosts costs{0};
  RecentSupports supports;
  bool climb = true;
  NodeOutcome outcome;
  bool done = false;
};

/// Hands nodes to threads. Before a node is begun, the outcomes of all but the few before it are
/// taken, neither more nor less: a search makes the same decisions whichever thread works on what,
/// and however long that takes. Few at first: what two nodes find at a time, the second does not
/// know of the first.
template <class Tree>
class Pipeline {
 public:
  /// Nodes at work, at most.
  static constexpr std::int64_t kMost = 8;

  Pipeline(Tree& tree, const SearchSettings& settings)
      : tree_(tree), settings_(settings), token_(*settings.token), begin_(token_.seen()) {}

  /// Until the tree ends; returns how many threads worked, at most.
  int run() {
    int threads = 1;
    while (!finished_) {
      over_ = false;
      others_ = wanted(0);
      const int team = run_team(
          others_, true, [this](int member) { work(member); }, [this] { token_.poll(); },
          [this] { stop(); });
      threads = std::max(threads, team);
    }
    return threads;
  }

  std::int64_t begun() const { return begun_; }
  std::int64_t at_work() const { return begun_ - taken_; }

  /// The best bound of the nodes at work.
  double bound() const {
    double best = -kInfinity;
    for (std::int64_t node = taken_; node < begun_; ++node) {
      best = std::max(best, slots_[place(node)]->bound);
    }
    return best;
  }

  /// With that node, at most.
  static std::int64_t most_at_work(std::int64_t node) {
    constexpr std::int64_t kAlone = 6;
    constexpr std::int64_t kNodes = 16;  // before there is one more
    return node < kAlone ? 1 : std::min(2 + (node - kAlone) / kNodes, kMost);
  }

 private:
  using Clock = std::chrono::steady_clock;

  static std::size_t place(std::int64_t node) { return static_cast<std::size_t>(node % kMost); }

  /// Threads beside the calling one, of which so many work here already: none while nodes are taken
  /// one at a time. The first goes on from the first clearings, which are the calling one's.
  int wanted(int own) const {
    if (most_at_work(begun_) == 1) {
      return 0;
    }
    return std::min(helpers(settings_.threads, begin_, settings_.thread_delay, own),
                    static_cast<int>(kMost) - 1);
  }

  void work(int member) {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!over_) {
      Slot* const slot = next(member == 0);
      if (slot == nullptr) {
        wait(member, lock);
        continue;
      }
      lock.unlock();
      tree_.process(member, *slot);
      lock.lock();
      slot->done = true;
      changed_.notify_all();
    }
    changed_.notify_all();
  }

  /// The next node, begun; none while it depends on one at work, and at the end.
  Slot* next(bool caller) {
    for (;;) {
      while (taken_ < begun_ &&
             (draining_ || tree_.nothing_open() || taken_ + most_at_work(begun_) <= begun_)) {
        Slot& oldest = *slots_[place(taken_)];
        if (!oldest.done) {
          return nullptr;
        }
        ++taken_;
        tree_.take(oldest);
      }
      if (caller) {
        tree_.report();
      }
      if (begun_ == 0 || !tree_.ends()) {
        break;
      }
      if (taken_ == begun_) {
        over_ = finished_ = true;
        return nullptr;
      }
      draining_ = true;  // what is at work may change that
    }
    draining_ = false;
    if (caller && wanted(others_) != others_) {
      over_ = true;  // then more go on, or fewer
      return nullptr;
    }
    std::unique_ptr<Slot>& slot = slots_[place(begun_)];
    if (!slot) {
      slot = std::make_unique<Slot>();
    }
    tree_.begin(*slot);
    slot->done = false;
    ++begun_;
    return slot.get();
  }

  void wait(int member, std::unique_lock<std::mutex>& lock) {
    constexpr auto kWait = std::chrono::milliseconds(5);
    if (over_) {
      return;
    }
    if (member > 0) {
      changed_.wait(lock);
    } else if (changed_.wait_for(lock, kWait) == std::cv_status::timeout) {
      lock.unlock();
      token_.poll();
      lock.lock();
    }
  }

  void stop() {
    const std::lock_guard<std::mutex> lock(mutex_);
    over_ = finished_ = true;
    token_.stop();
    changed_.notify_all();
  }

  Tree& tree_;
  const SearchSettings& settings_;
  StopToken& token_;
  Clock::time_point begin_;
  std::array<std::unique_ptr<Slot>, static_cast<std::size_t>(kMost)> slots_;
  std::int64_t begun_ = 0;
  std::int64_t taken_ = 0;  // of them, the first
  bool draining_ = false;   // no node is begun before those at work are taken
  bool finished_ = false;

  std::mutex mutex_;  // for all above and the tree, but for what is at work
  std::condition_variable changed_;
  int others_ = 0;     // threads asked for
  bool over_ = false;  // they end
};

}  // namespace kpm
