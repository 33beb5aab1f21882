// The module's functions that apply the core's rules for input.
#pragma once

#include <pybind11/pybind11.h>

namespace kpm {

void add_validation(pybind11::module_& module);

}  // namespace kpm
