#include "search/processors.hpp"

#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <thread>

namespace kpm {

namespace {

constexpr double kNone = std::numeric_limits<double>::infinity();

double quotient(double quota, double period) {
  return quota > 0.0 && period > 0.0 ? quota / period : kNone;
}

/// The content of a file; empty if there is none. Read by the C library: streams would add a
/// megabyte of locales to libkpm.
std::string contents(const std::string& path) {
  std::string text;
  if (std::FILE* const file = std::fopen(path.c_str(), "r")) {
    char some[512];
    std::size_t read = 0;
    do {
      read = std::fread(some, 1, sizeof some, file);
      text.append(some, read);
    } while (read == sizeof some);
    std::fclose(file);
  }
  return text;
}

/// Takes the whole number at the beginning of a text off it; 0 if there is none. No locale writes
/// whole numbers differently.
double take_number(const char*& text) {
  char* end = nullptr;
  const long long number = std::strtoll(text, &end, 10);
  text = end;
  return static_cast<double>(number);
}

/// Version 2: "max 100000" or "150000 100000", microseconds.
double unified_quota(const std::string& folder) {
  const std::string text = contents(folder + "/cpu.max");
  const char* left = text.c_str();
  const double quota = take_number(left);  // "max" gives 0, which is no quota
  return quotient(quota, take_number(left));
}

/// Version 1: a file for each number; -1 is no quota.
double legacy_quota(const std::string& folder) {
  const std::string quota = contents(folder + "/cpu.cfs_quota_us");
  const std::string period = contents(folder + "/cpu.cfs_period_us");
  const char* of_quota = quota.c_str();
  const char* of_period = period.c_str();
  const double microseconds = take_number(of_quota);
  return quotient(microseconds, take_number(of_period));
}

/// The least quota from a group's folder up to the root of its hierarchy.
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

/// Splits a text at a character and calls `visit` with every part.
template <class Visit>
void each_part(const std::string& text, char at, Visit&& visit) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(at, begin), text.size());
    visit(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

bool names(const std::string& controllers, const std::string& wanted) {
  bool found = false;
  each_part(controllers, ',', [&](const std::string& name) { found = found || name == wanted; });
  return found;
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
  each_part(contents(membership), '\n', [&](const std::string& line) {  // number:controllers:path
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first == std::string::npos ? first : first + 1);
    if (second == std::string::npos) {
      return;
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
  });
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
