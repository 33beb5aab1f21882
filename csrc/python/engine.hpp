// The engine for Python.
#pragma once

#include <pybind11/pybind11.h>

namespace kpm {

void add_engine(pybind11::module_& module);

}  // namespace kpm
