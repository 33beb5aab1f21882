// A maker's parameters, as Python states them.
#pragma once

#include <pybind11/pybind11.h>

#include "arrays.hpp"
#include "kpm/kpm.hpp"
#include "kpm/makers.hpp"

namespace kpm {

/// Borrowed from a dictionary with `kind`, `states` and what the kind needs; arrays as In<double>
/// takes them. It must outlive the model.
MakerModel borrow_model(const py::dict& stated);

/// The same, validated: the functions of makers trust their caller. Throws InvalidInput.
MakerModel checked_model(const py::dict& stated);

/// The claims and the inventory of a market, and its maker.
struct GivenMaker {
  Market market;
  MakerModel maker;
};

/// All must outlive the market. A Knightian maker's numbers are the market's, too.
GivenMaker borrow_market(const py::dict& maker, const In<double>& payoffs,
                         const In<double>& inventory);

/// Functions of single makers: costs, prices, quotes, trades.
void add_makers(py::module_& module);

}  // namespace kpm
