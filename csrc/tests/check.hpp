// What a test needs: a registry, and checks that say where they failed. The library has no
// dependency to install but Eigen, and its tests need none either.
#pragma once

#include <cmath>
#include <cstdint>

namespace kpm::test {

/// A test, known to the program's main function from before it starts: a list without a container,
/// because nothing that runs so early may throw.
struct Registered {
  Registered(const char* test, void (*function)()) noexcept;

  const char* name;
  void (*run)();
  Registered* next;
};

/// Ends a test that cannot say anything on this machine or of this build.
struct Skipped {
  const char* reason;
};

/// Records a failure; the test goes on, so that one run shows all that is wrong.
void fail(const char* file, int line, const char* what, double left, double right);

inline void check(bool holds, const char* file, int line, const char* what) {
  if (!holds) {
    fail(file, line, what, 0.0, 0.0);
  }
}

/// A NaN fails: it is near nothing.
inline void check_near(double left, double right, double allowed, const char* file, int line,
                       const char* what) {
  if (left != right && !(std::abs(left - right) <= allowed)) {
    fail(file, line, what, left, right);
  }
}

/// left <= right + allowed.
inline void check_at_most(double left, double right, double allowed, const char* file, int line,
                          const char* what) {
  if (!(left <= right + allowed)) {
    fail(file, line, what, left, right);
  }
}

/// The same numbers on every machine: splitmix64.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits();
  double uniform();  ///< in [0, 1)
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  int below(int count);  ///< 0 .. count - 1

 private:
  std::uint64_t state_;
};

}  // namespace kpm::test

#define TEST(name)                                               \
  static void name();                                            \
  static ::kpm::test::Registered registered_##name(#name, name); \
  static void name()
/// Ends this test; the program counts it, and says why.
#define SKIP(reason) \
  throw ::kpm::test::Skipped { reason }
#define CHECK(holds) ::kpm::test::check((holds), __FILE__, __LINE__, #holds)
#define CHECK_NEAR(left, right, allowed) \
  ::kpm::test::check_near((left), (right), (allowed), __FILE__, __LINE__, #left " near " #right)
#define CHECK_AT_MOST(left, right, allowed) \
  ::kpm::test::check_at_most((left), (right), (allowed), __FILE__, __LINE__, #left " <= " #right)
