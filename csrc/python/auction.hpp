// The convex rules for Python.
#pragma once

#include <pybind11/pybind11.h>

#include <functional>
#include <string>

#include "kpm/auction.hpp"
#include "stop_flag.hpp"

namespace kpm {

/// By its name.
ConvexRule convex_rule(const std::string& name);

/// A clearing by a convex rule as a dictionary, without the interpreter's lock but to look for
/// signals. The flag may be null.
pybind11::dict auction_for_python(
    const std::string& allocation, const std::string& rule, double tolerance, double time_limit,
    OptionalStop stop, const std::function<AuctionClearing(const AuctionSettings&)>& clear);

/// clear_auction().
void add_auctions(pybind11::module_& module);

}  // namespace kpm
