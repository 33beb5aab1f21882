// A fault of the input as Python receives it.
#pragma once

#include <pybind11/pybind11.h>

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

}  // namespace kpm
