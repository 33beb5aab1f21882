// Makers and their quotes for Python: arrays in, arrays out.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>
#include <vector>

#include "arrays.hpp"
#include "counts.hpp"
#include "interpreter_lock.hpp"
#include "maker_model.hpp"

namespace kpm {

namespace {

using Numbers = std::vector<double>;

std::size_t size_of(py::ssize_t rows, py::ssize_t columns) {
  return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
}

py::array_t<double> to_table(const Numbers& values, py::ssize_t rows, py::ssize_t columns) {
  const py::ssize_t shape[] = {rows, columns};
  return to_array(values, 2, shape);
}

/// Rows of one number per state, finite and within range.
const double* checked_rows(Field field, const In<double>& rows, py::ssize_t count, int states) {
  const double* const first = entries_of(rows, count * states, field);
  require(validate_rows(field, first, count, states));
  return first;
}

py::array_t<double> costs(const py::dict& maker, const In<double>& losses) {
  const MakerModel model = checked_model(maker);
  const py::ssize_t rows = losses.shape(0);
  const double* const from = checked_rows(Field::kLosses, losses, rows, model.states);
  Numbers values(size_of(rows, 1));
  {
    const Unlocked unlocked;
    maker_costs(model, from, rows, values.data());
  }
  return to_array(values);
}

py::array_t<double> state_prices(const py::dict& maker, const In<double>& losses) {
  const MakerModel model = checked_model(maker);
  const py::ssize_t rows = losses.shape(0);
  const double* const from = checked_rows(Field::kLosses, losses, rows, model.states);
  Numbers prices(size_of(rows, model.states));
  {
    const Unlocked unlocked;
    maker_state_prices(model, from, rows, prices.data());
  }
  return to_table(prices, rows, model.states);
}

py::array_t<double> conjugates(const py::dict& maker, const In<double>& prices) {
  const MakerModel model = checked_model(maker);
  const py::ssize_t rows = prices.shape(0);
  const double* const from = checked_rows(Field::kPrice, prices, rows, model.states);
  Numbers values(size_of(rows, 1));
  {
    const Unlocked unlocked;
    maker_conjugates(model, from, rows, values.data());
  }
  return to_array(values);
}

py::array_t<double> vertex_conjugates(const py::dict& maker) {
  const MakerModel model = checked_model(maker);
  Numbers values(size_of(model.states, 1));
  maker_vertex_conjugates(model, values.data());
  return to_array(values);
}

py::tuple quotes(const py::dict& maker, const In<double>& losses, const In<double>& payoffs,
                 const In<double>& quantities) {
  const MakerModel model = checked_model(maker);
  const py::ssize_t claims = payoffs.shape(0);
  const py::ssize_t sizes = quantities.shape(1);
  const py::ssize_t columns = sizes == 0 ? 1 : sizes;
  const double* const from = checked_rows(Field::kLosses, losses, 1, model.states);
  // Python has just checked these in copies of its own, which nobody else has.
  const double* const table = entries_of(payoffs, claims * model.states, Field::kPayoffs);
  const double* const shares =
      sizes == 0 ? nullptr : entries_of(quantities, claims * sizes, Field::kQuantities);
  Numbers bid(size_of(claims, columns));
  Numbers ask(bid.size());
  {
    const Unlocked unlocked;
    maker_quotes(model, from, table, claims, shares, sizes, bid.data(), ask.data());
  }
  return py::make_tuple(to_table(bid, claims, columns), to_table(ask, claims, columns));
}

double gain(const py::dict& maker, const In<double>& inventory, const In<double>& payoffs,
            const In<double>& prices, const In<double>& net_demand, double extra) {
  const MakerModel model = checked_model(maker);
  const py::ssize_t claims = payoffs.shape(0);
  return maker_gain(model, checked_rows(Field::kInventory, inventory, 1, model.states),
                    checked_rows(Field::kPayoffs, payoffs, claims, model.states), claims,
                    entries_of(prices, claims, Field::kPrice),
                    entries_of(net_demand, claims, Field::kQuantity), extra);
}

double size(const py::dict& maker, const In<double>& losses, const In<double>& payoff,
            const std::string& limit, double value) {
  const MakerModel model = checked_model(maker);
  const TradeLimit kind = limit == "price"  ? TradeLimit::kPrice
                          : limit == "loss" ? TradeLimit::kLoss
                                            : TradeLimit::kBudget;
  const double* const from = checked_rows(Field::kLosses, losses, 1, model.states);
  const double* const claim = checked_rows(Field::kPayoffs, payoff, 1, model.states);
  const Unlocked unlocked;
  return maker_size(model, from, claim, kind, value);
}

py::tuple trade(const py::dict& maker, const In<double>& losses, const In<double>& payoff,
                double limit, double quantity) {
  const MakerModel model = checked_model(maker);
  const double* const from = checked_rows(Field::kLosses, losses, 1, model.states);
  const double* const claim = checked_rows(Field::kPayoffs, payoff, 1, model.states);
  MakerTrade done;
  {
    const Unlocked unlocked;
    done = maker_trade(model, from, claim, limit, quantity);
  }
  return py::make_tuple(done.quantity, done.cost, done.first_price, done.last_price);
}

}  // namespace

void add_makers(py::module_& module) {
  using py::arg;
  module.def("maker_costs", &costs, arg("maker"), arg("losses").noconvert());
  module.def("maker_state_prices", &state_prices, arg("maker"), arg("losses").noconvert());
  module.def("maker_conjugates", &conjugates, arg("maker"), arg("prices").noconvert());
  module.def("maker_vertex_conjugates", &vertex_conjugates, arg("maker"));
  module.def("maker_quotes", &quotes, arg("maker"), arg("losses").noconvert(),
             arg("payoffs").noconvert(), arg("quantities").noconvert());
  module.def("maker_gain", &gain, arg("maker"), arg("inventory").noconvert(),
             arg("payoffs").noconvert(), arg("prices").noconvert(), arg("net_demand").noconvert(),
             arg("extra"));
  module.def("maker_size", &size, arg("maker"), arg("losses").noconvert(),
             arg("payoff").noconvert(), arg("limit"), arg("value"));
  module.def("maker_trade", &trade, arg("maker"), arg("losses").noconvert(),
             arg("payoff").noconvert(), arg("limit"), arg("quantity"));
}

}  // namespace kpm
