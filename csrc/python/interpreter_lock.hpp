// The interpreter's lock while the core works.
#pragma once

#include <Python.h>

#include <chrono>
#include <thread>

namespace kpm {

[[noreturn]] inline void wait_for_the_end() noexcept {
  for (;;) {
    std::this_thread::sleep_for(std::chrono::hours(1));
  }
}

/// Calls a function of Python's that waits for the interpreter's lock, at once or on the way.
///
/// Nobody gets the lock of an interpreter that is shutting down. From Python 3.14 on such a thread
/// waits for the end of the process; before, it is ended by pthread_exit(), whose unwinding of the
/// stack runs into destructors, which need the lock or may not throw: the process aborts. It
/// happens to daemon threads that clear while the program ends. Here they always wait.
template <class Function>
auto call_python(Function&& function) noexcept {
  try {
    return function();
  } catch (...) {  // pthread_exit(): it goes no further as long as this is not left
    wait_for_the_end();
  }
}

/// Gives the lock up in its constructor, has it back at the end of its life.
class Unlocked {
 public:
  Unlocked() : state_(PyEval_SaveThread()) {}
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;
  ~Unlocked() { take(); }

  /// The lock taken back for a moment, by the thread that gave it up.
  class Relocked {
   public:
    explicit Relocked(Unlocked& unlocked) : unlocked_(unlocked) { unlocked_.take(); }
    Relocked(const Relocked&) = delete;
    Relocked& operator=(const Relocked&) = delete;
    ~Relocked() { unlocked_.state_ = PyEval_SaveThread(); }

   private:
    Unlocked& unlocked_;
  };

 private:
  void take() noexcept {
    if (is_finalizing()) {
      wait_for_the_end();
    }
    call_python([this] { PyEval_RestoreThread(state_); });
  }

  static bool is_finalizing() noexcept {
#if PY_VERSION_HEX >= 0x030D0000
    return Py_IsFinalizing() != 0;
#else
    return _Py_IsFinalizing() != 0;
#endif
  }

  PyThreadState* state_;
};

}  // namespace kpm
