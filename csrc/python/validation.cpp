// The core's rules for input, as Python asks for them before it makes a market or a book.
#include "kpm/validation.hpp"

#include <pybind11/pybind11.h>

#include "arrays.hpp"
#include "fault.hpp"
#include "validation_functions.hpp"

namespace kpm {

namespace {

py::object market_fault(const In<double>& payoffs, const In<double>& prior,
                        const In<double>& inventory, double risk_aversion, double ambiguity) {
  Market market;
  market.claims = static_cast<int>(payoffs.shape(0));
  market.states = static_cast<int>(payoffs.shape(1));
  market.payoffs = payoffs.data();
  market.prior = prior.data();
  market.inventory = inventory.data();
  market.risk_aversion = risk_aversion;
  market.ambiguity = ambiguity;
  return to_python(validate(market));
}

py::object price_fault(const In<double>& price) {
  return to_python(validate_prices(price.data(), price.shape(0)));
}

py::object quantity_fault(const In<double>& quantity) {
  return to_python(validate_quantities(quantity.data(), quantity.shape(0)));
}

}  // namespace

void add_validation(py::module_& module) {
  module.def("market_fault", &market_fault);
  module.def("price_fault", &price_fault);
  module.def("quantity_fault", &quantity_fault);
}

}  // namespace kpm
