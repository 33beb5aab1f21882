// The convex rules for Python.
#pragma once

#include <pybind11/pybind11.h>

namespace kpm {

/// clear_auction().
void add_auctions(pybind11::module_& module);

}  // namespace kpm
