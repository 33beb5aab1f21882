// Classes of Python's whose instances hold a value of C++'s, made in such a way that memory which
// runs out is an error. pybind11 itself writes to an instance that it did not get, and registers
// one outside its own handlers, so that the exception goes through Python's frames and ends the
// process.
#pragma once

#include <pybind11/pybind11.h>

#include <exception>
#include <memory>
#include <stdexcept>
#include <typeinfo>
#include <utility>

namespace kpm {

namespace py = pybind11;

/// An instance without a value, or null and an error of Python's.
inline PyObject* new_instance(PyTypeObject* type, PyObject* /*args*/, PyObject* /*keywords*/) {
  PyObject* const made = type->tp_alloc(type, 0);
  if (made != nullptr) {
    reinterpret_cast<py::detail::instance*>(made)->allocate_layout();  // within the instance
  }
  return made;
}

/// Gives an instance its value. One that cannot be registered stays without.
template <class T>
void hold(const py::detail::value_and_holder& place, std::unique_ptr<T> value) {
  place.value_ptr() = value.get();
  try {
    place.type->init_instance(place.inst, nullptr);
  } catch (...) {
    place.value_ptr() = nullptr;
    throw;
  }
  static_cast<void>(value.release());
}

template <class T>
py::object to_instance(T value) {
  auto held = std::make_unique<T>(std::move(value));
  const py::detail::type_info* const type = py::detail::get_type_info(typeid(T));
  PyObject* const made = new_instance(type->type, nullptr, nullptr);
  if (made == nullptr) {
    throw py::error_already_set();
  }
  auto instance = py::reinterpret_steal<py::object>(made);
  hold(reinterpret_cast<py::detail::instance*>(made)->get_value_and_holder(type), std::move(held));
  return instance;
}

/// A class whose instances are made by to_instance() or by a constructor.
template <class T>
py::class_<T> add_class(const py::module_& module, const char* name) {
  const py::custom_type_setup setup(
      [](PyHeapTypeObject* type) { type->ht_type.tp_new = new_instance; });
  py::class_<T> made(module, name, py::is_final(), setup);
  // What is known of a type is stored on the first occasion: now, not when memory may run out.
  py::detail::all_type_info(reinterpret_cast<PyTypeObject*>(made.ptr()));
  return made;
}

/// `make` of the arguments returns a pointer to the value. `extra`: as for any function.
template <class T, class... Args, class... Extra>
void add_constructor(py::class_<T>& of, std::unique_ptr<T> (*make)(Args...),
                     const Extra&... extra) {
  of.def(
      "__init__",
      [make](py::detail::value_and_holder& place, Args... args) {
        hold(place, make(std::forward<Args>(args)...));
      },
      py::detail::is_new_style_constructor(), extra...);
}

/// Where Python has no memory for an object, pybind11 throws something else, and the error of
/// Python's is still there.
inline void keep_memory_errors() {
  py::register_local_exception_translator([](std::exception_ptr thrown) {
    try {
      std::rethrow_exception(std::move(thrown));
    } catch (const std::runtime_error&) {
      if (PyErr_Occurred() == nullptr || PyErr_ExceptionMatches(PyExc_MemoryError) == 0) {
        throw;
      }
    }
  });
}

}  // namespace kpm
