#include "search/processors.hpp"

#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <thread>

namespace kpm {

namespace {

constexpr double kNone = std::numeric_limits<double>::infinity();

double quotient(double quota, double period) {
  return quota > 0.0 && period > 0.0 ? quota / period : kNone;
}

/// Version 2: "max 100000" or "150000 100000", microseconds.
double unified_quota(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  std::string quota;
  double period = 0.0;
  if (!(file >> quota >> period) || quota == "max") {
    return kNone;
  }
  double microseconds = 0.0;
  std::istringstream(quota) >> microseconds;
  return quotient(microseconds, period);
}

/// Version 1: a file for each number; -1 is no quota.
double legacy_quota(const std::string& folder) {
  double quota = 0.0;
  double period = 0.0;
  std::ifstream(folder + "/cpu.cfs_quota_us") >> quota;
  std::ifstream(folder + "/cpu.cfs_period_us") >> period;
  return quotient(quota, period);
}

/// The least from a group's folder up to the root of its hierarchy.
template <class Read>
double least(const std::string& hierarchy, std::string path, Read&& read) {
  double result = kNone;
  for (;;) {
    result = std::min(result, read(hierarchy + path));
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos || path == "/") {
      return result;
    }
    path.erase(slash);
  }
}

bool names(const std::string& controllers, const std::string& wanted) {
  std::istringstream list(controllers);
  std::string name;
  while (std::getline(list, name, ',')) {
    if (name == wanted) {
      return true;
    }
  }
  return false;
}

int ask_the_system() {
  int processors = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
#ifdef __linux__
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    processors = CPU_COUNT(&allowed);
  }
  const double quota = std::ceil(cpu_quota("/proc/self/cgroup", "/sys/fs/cgroup"));
  if (quota < processors) {
    processors = std::max(1, static_cast<int>(quota));
  }
#endif
  return processors;
}

}  // namespace

double cpu_quota(const std::string& membership, const std::string& root) {
  double result = kNone;
  std::ifstream groups(membership);
  std::string line;
  while (std::getline(groups, line)) {  // number:controllers:path
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first == std::string::npos ? first : first + 1);
    if (second == std::string::npos) {
      continue;
    }
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) {
      result = std::min(result, least(root, path, unified_quota));
      result = std::min(result, least(root + "/unified", path, unified_quota));
    } else if (names(controllers, "cpu")) {
      result = std::min(result, least(root + "/cpu", path, legacy_quota));
      const std::string mount = std::string(root).append("/").append(controllers);
      result = std::min(result, least(mount, path, legacy_quota));
    }
  }
  return result;
}

int available_processors() {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds kValid(10);
  static std::atomic<int> known{0};
  static std::atomic<Clock::rep> asked{0};
  const Clock::rep now = Clock::now().time_since_epoch().count();
  const Clock::duration age(now - asked.load(std::memory_order_relaxed));
  if (known.load(std::memory_order_relaxed) == 0 || age > kValid) {
    known.store(ask_the_system(), std::memory_order_relaxed);
    asked.store(now, std::memory_order_relaxed);
  }
  return known.load(std::memory_order_relaxed);
}

}  // namespace kpm
