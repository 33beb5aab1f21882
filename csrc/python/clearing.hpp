// A clearing for Python: its settings, its watch for Ctrl-C and callbacks, its dictionary.
#pragma once

#include <pybind11/pybind11.h>

#include <functional>

#include "kpm/kpm.hpp"
#include "stop_flag.hpp"

namespace kpm {

namespace py = pybind11;

const char* name_of(Status status);

/// The worst case, the marginal state prices, the multipliers and the price of ambiguity.
void add_support(py::dict& result, const Support& support);

/// `ClearSettings` in Python: made of keywords once, handed to every clearing.
void add_settings(py::module_& module);

using Solve = std::function<Clearing(const ClearSettings&)>;

/// Solves without the interpreter's lock, with settings that watch for Ctrl-C, the flag and
/// the callback (may be None).
py::dict clear_for_python(const ClearSettings& settings, py::object progress, OptionalStop stop,
                          const Solve& solve);

}  // namespace kpm
