// The error codes of exceptions, and each thread's last error.
#pragma once

#include <cstdint>
#include <exception>

#include "kpm/kpm.h"
#include "kpm/validation.hpp"

namespace kpm::c {

/// Thrown for what this build of the library cannot do.
class Unsupported : public std::exception {
 public:
  explicit Unsupported(const char* what) : what_(what) {}
  const char* what() const noexcept override { return what_; }

 private:
  const char* what_;
};

/// A number that a message ends with, such as " of 108554 bytes".
struct Note {
  const char* before;
  double number;
  const char* after;
};

/// Thrown for what only the C interface can be given: structs of no known size, numbers that name
/// nothing, arrays that are not there.
class Refusal : public std::exception {
 public:
  Refusal(const char* field, const char* rule) : field_(field), rule_(rule) {}
  Refusal(const char* field, const char* rule, double value, std::int64_t index = -1)
      : field_(field), rule_(rule), index_(index), value_(value), has_value_(true) {}
  Refusal(const char* field, const char* rule, double value, const Note& note)
      : field_(field), rule_(rule), value_(value), has_value_(true), note_(note) {}
  /// The note says what was given.
  Refusal(const char* field, const char* rule, const Note& given)
      : field_(field), rule_(rule), value_(given.number), note_(given) {}

  const char* what() const noexcept override { return rule_; }
  void describe(kpm_error& error) const noexcept;

 private:
  const char* field_;
  const char* rule_;
  std::int64_t index_ = -1;
  double value_ = 0.0;
  bool has_value_ = false;
  Note note_{nullptr, 0.0, nullptr};
};

/// Keeps the exception that is being handled for kpm_last_error(); returns its code.
std::int32_t keep_current_exception() noexcept;

/// Keeps what is wrong with input; returns its code.
std::int32_t keep_fault(const Fault& fault);

/// Does the work; whatever it throws becomes a code.
template <class Work>
std::int32_t guarded(Work&& work) noexcept {
  try {
    work();
    return KPM_OK;
  } catch (...) {
    return keep_current_exception();
  }
}

}  // namespace kpm::c
