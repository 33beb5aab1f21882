// A team of threads for a search.
#pragma once

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "search/processors.hpp"

namespace kpm {

/// Threads of this process that are searching, in any call. Counted only so that concurrent calls
/// share the processors; no answer depends on it.
inline std::atomic<int> searching{0};
/// Of this process and those that it was forked from: a search that a fork ends was forgotten by
/// it.
inline std::atomic<int> forks{0};

#if defined(__unix__) || defined(__APPLE__)
// A forked child has none of the other threads, and must not leave their processors idle.
inline const int fork_forgets = pthread_atfork(nullptr, nullptr, [] {
  searching = 0;
  ++forks;
});
#endif

/// Counts one thread for as long as it lives.
class Searching {
 public:
  Searching() { ++searching; }
  ~Searching() {
    if (forks == born_) {
      --searching;
    }
  }
  Searching(const Searching&) = delete;
  Searching& operator=(const Searching&) = delete;

 private:
  int born_ = forks;
};

/// How many threads may join the calling one, which has worked alone since `begin`: none for the
/// first `delay` seconds, then enough that `threads` work, or, if that is 0, as many as there are
/// processors available to this process that no other search uses. `own`: those of this search,
/// which are counted.
inline int helpers(int threads, std::chrono::steady_clock::time_point begin, double delay,
                   int own = 0) {
  const std::chrono::duration<double> alone(delay);
  if (threads == 1 || std::chrono::steady_clock::now() - begin < alone) {
    return 0;
  }
  if (threads > 0) {
    return threads - 1;
  }
  return std::max(0, available_processors() - std::max<int>(searching - own, 1));
}

/// Runs `work(0)` on the calling thread and `work(1)`, `work(2)`, ... on up to `others` more, and
/// returns how many there were. If the system cannot start another thread, fewer do the same work.
/// After its own work the calling thread calls `wait` every few milliseconds until the others have
/// finished. An exception in a thread is rethrown here once all of them have ended; `stop` is
/// called before that, so that the others need not finish. `counted`: the others are counted as
/// searching here, and not by searches of their own.
template <class Work, class Wait, class Stop>
int run_team(int others, bool counted, Work&& work, Wait&& wait, Stop&& stop) {
  constexpr auto kWait = std::chrono::milliseconds(5);
  std::mutex mutex;
  std::condition_variable ended;
  std::exception_ptr failure;
  const auto guarded = [&](auto&& task) {
    try {
      task();
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex);
      if (!failure) {
        failure = std::current_exception();
      }
      stop();
    }
  };
  std::vector<std::thread> team;
  team.reserve(static_cast<std::size_t>(others));
  int working = 0;  // of the others
  for (int member = 1; member <= others; ++member) {
    try {
      const std::lock_guard<std::mutex> lock(mutex);
      team.emplace_back([&, member] {
        {
          std::optional<Searching> one;
          if (counted) {
            one.emplace();
          }
          guarded([&] { work(member); });
        }
        const std::lock_guard<std::mutex> own_lock(mutex);
        --working;
        ended.notify_one();
      });
      ++working;
    } catch (...) {
      break;  // no thread, or no memory for one
    }
  }
  guarded([&] { work(0); });
  if (!team.empty()) {
    std::unique_lock<std::mutex> lock(mutex);
    while (!ended.wait_for(lock, kWait, [&] { return working == 0; })) {
      lock.unlock();
      guarded(wait);
      lock.lock();
    }
  }
  for (std::thread& member : team) {
    member.join();
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
  return static_cast<int>(team.size()) + 1;
}

}  // namespace kpm
