// Ctrl-C and other signals while the core works.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <utility>

#include "kpm/kpm.hpp"

namespace kpm {

namespace py = pybind11;

/// Ctrl-C stops the work, and the best clearing so far is the answer. Any other error of Python's
/// stops it as well and is raised once the core has returned. Where there is no answer, because the
/// core throws or another error is raised, Ctrl-C comes after that. With the interpreter's lock
/// only.
class SignalWatch {
 public:
  SignalWatch() = default;
  ~SignalWatch() {
    if (interrupted_) {
      PyErr_SetInterrupt();
    }
  }
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  bool interrupted() {
    if (PyErr_CheckSignals() == 0) {
      return false;
    }
    note(py::error_already_set());
    return true;
  }

  void note(py::error_already_set&& error) {
    if (error.matches(PyExc_KeyboardInterrupt)) {
      interrupted_ = true;
    } else {
      error_.emplace(std::move(error));
    }
  }

  /// Ctrl-C that came after the proof stopped nothing here: it goes on to the caller, whose loop
  /// over many books would otherwise never learn of it.
  void pass_on(Status status) {
    if (status == Status::kInterrupted) {
      interrupted_ = false;  // the answer says so
    }
  }

  /// Ctrl-C where an answer cannot say so.
  void raise_interrupt() {
    if (std::exchange(interrupted_, false)) {
      PyErr_SetNone(PyExc_KeyboardInterrupt);
      throw py::error_already_set();
    }
  }

  void rethrow() {
    if (error_) {
      throw std::move(*error_);
    }
  }

 private:
  std::optional<py::error_already_set> error_;
  bool interrupted_ = false;
};

}  // namespace kpm
