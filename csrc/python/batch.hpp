// Many books at once, for Python.
#pragma once

#include <pybind11/pybind11.h>

namespace kpm {

void add_batch(pybind11::module_& module);

}  // namespace kpm
