// A fault of the input as Python receives it.
#pragma once

#include <pybind11/pybind11.h>

#include <exception>
#include <utility>

#include "kpm/validation.hpp"

namespace kpm {

/// None, or (field, rule in words, index, state, value); no index or state is -1.
inline pybind11::object to_python(const Fault& fault) {
  if (!fault) {
    return pybind11::none();
  }
  return pybind11::make_tuple(name_of(fault.field), rule_of(fault), fault.index, fault.state,
                              fault.value);
}

/// Input that breaks a rule is an InputError of Python's, which names field, index and value.
inline void raise_input_errors() {
  pybind11::register_local_exception_translator([](std::exception_ptr thrown) {
    try {
      std::rethrow_exception(std::move(thrown));
    } catch (const InvalidInput& error) {
      try {
        const pybind11::object made = pybind11::module_::import("kpm_fast.model.faults")
                                          .attr("error_of")(to_python(error.fault()));
        PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(made.ptr())), made.ptr());
      } catch (pybind11::error_already_set& failed) {
        failed.restore();
      }
    }
  });
}

}  // namespace kpm
