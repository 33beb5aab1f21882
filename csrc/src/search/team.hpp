// Threads that work for one round.
#pragma once

#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace kpm {

/// How many threads may work: as asked for, or, for none, as many as there are processors for this
/// process. Asked when a second one would pay: the system's answer takes as long as a small node.
inline int team_size(int threads) {
  if (threads > 0) {
    return threads;
  }
#ifdef __linux__
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    return CPU_COUNT(&allowed);
  }
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// Runs `work(0)` on the calling thread and `work(1)`, `work(2)`, ... on up to `others` more, and
/// returns how many there were. Where the system has no thread left to give, fewer do the same
/// work. What a thread throws is thrown here once all of them have ended; `stop` is called before
/// that, so that the others need not finish.
template <class Work, class Stop>
int run_team(int others, Work&& work, Stop&& stop) {
  std::mutex mutex;
  std::exception_ptr failure;
  const auto guarded = [&](int member) {
    try {
      work(member);
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
  for (int member = 1; member <= others; ++member) {
    try {
      team.emplace_back(guarded, member);
    } catch (const std::system_error&) {
      break;
    }
  }
  guarded(0);
  for (std::thread& member : team) {
    member.join();
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
  return static_cast<int>(team.size()) + 1;
}

}  // namespace kpm
