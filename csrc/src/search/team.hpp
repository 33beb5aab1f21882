// Threads that work for one round.
#pragma once

#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace kpm {

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
