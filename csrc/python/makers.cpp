// Makers and their quotes for Python: arrays in, arrays out.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "interpreter_lock.hpp"
#include "kpm/kpm.hpp"
#include "maker_model.hpp"
#include "mechanisms/quotes.hpp"
#include "risk/maker.hpp"

namespace kpm {

namespace {

Eigen::Map<const Matrix> table(const In<double>& values) {
  return {values.data(), values.shape(0), values.shape(1)};
}

Eigen::Map<const Array> column(const In<double>& values) {
  return {values.data(), values.shape(0)};
}

py::array_t<double> to_table(const std::vector<double>& values, Eigen::Index rows,
                             Eigen::Index columns) {
  return frozen(py::array_t<double>({rows, columns}, values.data()));
}

py::array_t<double> maker_costs(const py::dict& stated, const In<double>& losses) {
  const MakerModel model = borrow_model(stated);
  const Eigen::Map<const Matrix> rows = table(losses);
  std::vector<double> costs(static_cast<std::size_t>(rows.rows()));
  {
    const Unlocked unlocked;
    const std::unique_ptr<Maker> maker = make_maker(model);
    for (Eigen::Index row = 0; row < rows.rows(); ++row) {
      costs[static_cast<std::size_t>(row)] = maker->set_losses(rows.row(row).transpose().array());
    }
  }
  return to_array(costs);
}

py::array_t<double> maker_state_prices(const py::dict& stated, const In<double>& losses) {
  const MakerModel model = borrow_model(stated);
  const Eigen::Map<const Matrix> rows = table(losses);
  std::vector<double> prices(static_cast<std::size_t>(rows.size()));
  {
    const Unlocked unlocked;
    const std::unique_ptr<Maker> maker = make_maker(model);
    Eigen::Map<Matrix> to(prices.data(), rows.rows(), rows.cols());
    for (Eigen::Index row = 0; row < rows.rows(); ++row) {
      maker->set_losses(rows.row(row).transpose().array());
      to.row(row) = maker->state_prices().matrix().transpose();
    }
  }
  return to_table(prices, rows.rows(), rows.cols());
}

py::array_t<double> maker_conjugates(const py::dict& stated, const In<double>& prices) {
  const MakerModel model = borrow_model(stated);
  const Eigen::Map<const Matrix> rows = table(prices);
  std::vector<double> values(static_cast<std::size_t>(rows.rows()));
  {
    const Unlocked unlocked;
    const std::unique_ptr<Maker> maker = make_maker(model);
    for (Eigen::Index row = 0; row < rows.rows(); ++row) {
      values[static_cast<std::size_t>(row)] = maker->conjugate(rows.row(row).transpose().array());
    }
  }
  return to_array(values);
}

py::array_t<double> maker_vertex_conjugates(const py::dict& stated) {
  const std::unique_ptr<Maker> maker = make_maker(borrow_model(stated));
  std::vector<double> values;
  for (Eigen::Index state = 0; state < maker->states(); ++state) {
    values.push_back(maker->conjugate_at_vertex(state));
  }
  return to_array(values);
}

py::tuple maker_quotes(const py::dict& stated, const In<double>& losses, const In<double>& payoffs,
                       const In<double>& quantities) {
  const MakerModel model = borrow_model(stated);
  const Eigen::Map<const Matrix> claims = table(payoffs);
  const Eigen::Map<const Matrix> sizes = table(quantities);
  const bool marginal = sizes.cols() == 0;
  const Eigen::Index columns = marginal ? 1 : sizes.cols();
  std::vector<double> bid(static_cast<std::size_t>(claims.rows() * columns));
  std::vector<double> ask(bid.size());
  {
    const Unlocked unlocked;
    const std::unique_ptr<Maker> maker = make_maker(model);
    maker->set_losses(column(losses));
    QuoteEngine engine(*maker);
    if (marginal) {
      engine.marginal(claims, bid.data(), ask.data());
    } else {
      engine.blocks(claims, sizes, bid.data(), ask.data());
    }
  }
  return py::make_tuple(to_table(bid, claims.rows(), columns),
                        to_table(ask, claims.rows(), columns));
}

double maker_size(const py::dict& stated, const In<double>& losses, const In<double>& payoff,
                  const std::string& limit, double value) {
  const MakerModel model = borrow_model(stated);
  const Unlocked unlocked;
  const std::unique_ptr<Maker> maker = make_maker(model);
  TradeSize size(*maker, column(losses), column(payoff));
  if (limit == "price") {
    return size.to_price(value, kInfinity);
  }
  return limit == "loss" ? size.to_loss(value) : size.to_budget(value);
}

py::tuple maker_trade(const py::dict& stated, const In<double>& losses, const In<double>& payoff,
                      double limit, double quantity) {
  const MakerModel model = borrow_model(stated);
  double filled = 0.0;
  double cost = 0.0;
  double first = 0.0;
  double last = 0.0;
  {
    const Unlocked unlocked;
    const std::unique_ptr<Maker> maker = make_maker(model);
    TradeSize size(*maker, column(losses), column(payoff));
    first = maker->slope(column(payoff));
    filled = size.to_price(limit, quantity);
    cost = filled > 0.0 ? size.cost(filled) : 0.0;
    last = filled < quantity ? limit : size.last_price(filled);
  }
  return py::make_tuple(filled, cost, first, last);
}

}  // namespace

void add_makers(py::module_& module) {
  using py::arg;
  module.def("maker_costs", &maker_costs, arg("maker"), arg("losses").noconvert());
  module.def("maker_state_prices", &maker_state_prices, arg("maker"), arg("losses").noconvert());
  module.def("maker_conjugates", &maker_conjugates, arg("maker"), arg("prices").noconvert());
  module.def("maker_vertex_conjugates", &maker_vertex_conjugates, arg("maker"));
  module.def("maker_quotes", &maker_quotes, arg("maker"), arg("losses").noconvert(),
             arg("payoffs").noconvert(), arg("quantities").noconvert());
  module.def("maker_size", &maker_size, arg("maker"), arg("losses").noconvert(),
             arg("payoff").noconvert(), arg("limit"), arg("value"));
  module.def("maker_trade", &maker_trade, arg("maker"), arg("losses").noconvert(),
             arg("payoff").noconvert(), arg("limit"), arg("quantity"));
}

}  // namespace kpm
