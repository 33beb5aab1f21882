#include "check.hpp"

#include <cstdio>
#include <cstring>
#include <exception>

namespace kpm::test {

namespace {

Registered* newest = nullptr;
int failures = 0;
constexpr int kAllSkipped = 77;  // as in GNU's tools: not tested

}  // namespace

Registered::Registered(const char* test, void (*function)()) noexcept
    : name(test), run(function), next(newest) {
  newest = this;
}

void fail(const char* file, int line, const char* what, double left, double right) {
  constexpr int kShown = 20;
  if (++failures <= kShown) {
    std::printf("%s:%d: %s", file, line, what);
    if (left != right) {
      std::printf(" (%.17g and %.17g)", left, right);
    }
    std::printf("\n");
  }
}

std::uint64_t Random::bits() {
  state_ += 0x9E3779B97F4A7C15U;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

double Random::uniform() { return static_cast<double>(bits() >> 11U) * 0x1p-53; }

int Random::below(int count) {
  return static_cast<int>(bits() % static_cast<std::uint64_t>(count));
}

}  // namespace kpm::test

/// Runs the tests, or those whose name contains the first argument.
int main(int argc, char** argv) {
  using namespace kpm::test;
  int run = 0;
  int failed = 0;
  int skipped = 0;
  for (const Registered* test = newest; test != nullptr; test = test->next) {
    if (argc > 1 && std::strstr(test->name, argv[1]) == nullptr) {
      continue;
    }
    const int before = failures;
    try {
      test->run();
    } catch (const Skipped& skip) {
      ++skipped;
      std::printf("skipped %s: %s\n", test->name, skip.reason);
    } catch (const std::exception& error) {
      fail(test->name, 0, error.what(), 0.0, 0.0);
    }
    ++run;
    if (failures != before) {
      ++failed;
      std::printf("FAILED %s: %d checks\n", test->name, failures - before);
    }
  }
  std::printf("%d tests, %d failed, %d skipped\n", run, failed, skipped);
  if (failed > 0 || run == 0) {
    return 1;
  }
  return skipped == run ? kAllSkipped : 0;
}
