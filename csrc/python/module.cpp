// The Python module: arrays in, plain dictionaries out. A cell's dictionary is made only when asked
// for: making it takes as long as an iteration or two.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "auction.hpp"
#include "batch.hpp"
#include "clearing.hpp"
#include "counts.hpp"
#include "engine.hpp"
#include "fault.hpp"
#include "instances.hpp"
#include "interpreter_lock.hpp"
#include "keys.hpp"
#include "kpm/kpm.hpp"
#include "maker_model.hpp"
#include "signal_watch.hpp"
#include "stop_flag.hpp"
#include "validation_functions.hpp"

#ifndef KPM_VERSION
#define KPM_VERSION "unknown"
#endif
#ifndef KPM_FLAGS
#define KPM_FLAGS "unknown"
#endif

namespace py = pybind11;

namespace {

using kpm::forms;
using kpm::frozen;
using kpm::In;
using kpm::Keys;
using kpm::keys;
using kpm::to_array;

/// A market of claims alone: all that staircases need.
kpm::Market borrow_claims(const In<double>& payoffs) {
  kpm::Market market;
  kpm::borrow_payoffs(payoffs, market);
  return market;
}

kpm::Market borrow_market(const In<double>& payoffs, const In<double>& prior,
                          const In<double>& inventory, double risk_aversion, double ambiguity) {
  kpm::Market market = borrow_claims(payoffs);
  market.prior = kpm::entries_of(prior, market.states, kpm::Field::kPrior);
  market.inventory = kpm::entries_of(inventory, market.states, kpm::Field::kInventory);
  market.risk_aversion = risk_aversion;
  market.ambiguity = ambiguity;
  return market;
}

py::list staircases(const In<double>& payoffs, const In<std::int64_t>& claim,
                    const In<std::int8_t>& side, const In<double>& price,
                    const In<double>& quantity) {
  const kpm::Market market = borrow_claims(payoffs);
  py::list result;
  for (const auto& pieces :
       kpm::staircases(market, kpm::borrow_orders(claim, side, price, quantity))) {
    py::array_t<double> table({static_cast<py::ssize_t>(pieces.size()), py::ssize_t{4}});
    auto cells = table.mutable_unchecked<2>();
    for (py::ssize_t row = 0; row < table.shape(0); ++row) {
      const kpm::Piece& piece = pieces[static_cast<std::size_t>(row)];
      cells(row, 0) = piece.price_low;
      cells(row, 1) = piece.price_high;
      cells(row, 2) = piece.demand_low;
      cells(row, 3) = piece.demand_high;
    }
    result.append(frozen(std::move(table)));
  }
  return result;
}

py::list count_pieces(const In<double>& payoffs, const In<std::int64_t>& claim,
                      const In<std::int8_t>& side, const In<double>& price,
                      const In<double>& quantity) {
  const kpm::Market market = borrow_claims(payoffs);
  py::list result;
  for (const std::int64_t pieces :
       kpm::count_pieces(market, kpm::borrow_orders(claim, side, price, quantity))) {
    result.append(py::int_(pieces));
  }
  return result;
}

py::dict clear(const In<double>& payoffs, const In<double>& prior, const In<double>& inventory,
               double risk_aversion, double ambiguity, const In<std::int64_t>& claim,
               const In<std::int8_t>& side, const In<double>& price, const In<double>& quantity,
               const std::optional<In<double>>& time, const kpm::ClearSettings& settings,
               py::object progress, kpm::OptionalStop stop) {
  const kpm::Market market = borrow_market(payoffs, prior, inventory, risk_aversion, ambiguity);
  const kpm::Orders orders = kpm::borrow_orders(claim, side, price, quantity, time);
  return kpm::clear_for_python(
      settings, std::move(progress), stop,
      [&](const kpm::ClearSettings& watched) { return kpm::clear(market, orders, watched); });
}

/// The answer for a cell, as it left the core.
struct SolvedCell {
  kpm::CellSolution solution;
  double seconds = 0.0;

  py::dict to_dict() const {
    py::dict result;
    const Keys& key = keys();
    key.status.set(result, name_of(solution.status));
    key.state_prices.set(result, to_array(solution.state_prices));
    key.net_demand.set(result, to_array(solution.net_demand));
    key.certainty_equivalent.set(result, solution.certainty_equivalent);
    key.dual_bound.set(result, solution.dual_bound);
    key.gap.set(result, solution.dual_bound - solution.certainty_equivalent);
    key.primal_residual.set(result, solution.primal_residual);
    key.dual_residual.set(result, solution.dual_residual);
    key.iterations.set(result, solution.iterations);
    add_support(result, solution.support);
    key.seconds.set(result, seconds);
    return result;
  }
};

py::object solve_cell(const In<double>& payoffs, const In<double>& prior,
                      const In<double>& inventory, double risk_aversion, double ambiguity,
                      const In<std::int64_t>& claim, const In<std::int8_t>& side,
                      const In<double>& price, const In<double>& quantity,
                      const In<std::int64_t>& cell, double tolerance, int max_iterations) {
  const kpm::Market market = borrow_market(payoffs, prior, inventory, risk_aversion, ambiguity);
  const kpm::Orders orders = kpm::borrow_orders(claim, side, price, quantity);
  const std::int64_t* pieces = kpm::entries_of(cell, market.claims, kpm::Field::kCell);
  kpm::CellSettings settings;
  settings.tolerance = tolerance;
  settings.max_iterations = max_iterations;
  SolvedCell solved;
  {
    const kpm::Unlocked unlocked;
    const auto start = std::chrono::steady_clock::now();
    solved.solution = kpm::solve_cell(market, orders, pieces, settings);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    solved.seconds = elapsed.count();
  }
  return kpm::to_instance(std::move(solved));
}

py::tuple project_prior(const In<double>& payoffs, const In<double>& prior, const In<double>& low,
                        const In<double>& high) {
  kpm::Market market = borrow_claims(payoffs);
  market.prior = kpm::entries_of(prior, market.states, kpm::Field::kPrior);
  // Arrays are read with the lock held.
  const double* const from = kpm::entries_of(low, market.claims, kpm::Field::kPrice);
  const double* const to = kpm::entries_of(high, market.claims, kpm::Field::kPrice);
  kpm::PriorProjection projection;
  kpm::SignalWatch watch;
  {
    kpm::Unlocked unlocked;
    projection = kpm::project_prior(market, from, to, [&] {
      const kpm::Unlocked::Relocked lock(unlocked);
      return watch.interrupted();
    });
  }
  watch.rethrow();
  watch.raise_interrupt();
  return py::make_tuple(projection.reached, projection.nearest, to_array(projection.state_prices),
                        projection.divergence);
}

py::dict build_info() {
  py::dict result;
  result["version"] = KPM_VERSION;
#if defined(__VERSION__)
  result["compiler"] = __VERSION__;
#else
  result["compiler"] = "unknown";
#endif
  result["flags"] = KPM_FLAGS;
  return result;
}

}  // namespace

// No function has state that outlives a call, and arrays are only read: threads share nothing that
// changes, with or without the interpreter's lock.
PYBIND11_MODULE(_core_of_main, module, py::mod_gil_not_used(),
                py::multiple_interpreters::not_supported()) {
  module.doc() = "Compiled core of kpm_fast. Private: use the package.";
  kpm::keep_memory_errors();
  kpm::raise_input_errors();
  forms();  // made now: threads that waited for one to make them would block Python
  using py::arg;
  module.def("staircases", &staircases, arg("payoffs").noconvert(), arg("claim").noconvert(),
             arg("side").noconvert(), arg("price").noconvert(), arg("quantity").noconvert());
  module.def("count_pieces", &count_pieces, arg("payoffs").noconvert(), arg("claim").noconvert(),
             arg("side").noconvert(), arg("price").noconvert(), arg("quantity").noconvert());
  kpm::add_settings(module);
  module.def("clear", &clear, arg("payoffs").noconvert(), arg("prior").noconvert(),
             arg("inventory").noconvert(), arg("risk_aversion"), arg("ambiguity"),
             arg("claim").noconvert(), arg("side").noconvert(), arg("price").noconvert(),
             arg("quantity").noconvert(), arg("time").none(true), arg("settings"),
             arg("progress").none(true), arg("stop").none(true));
  auto flag = kpm::add_class<kpm::StopFlag>(module, "StopFlag");
  kpm::add_constructor(flag, std::make_unique<kpm::StopFlag>);
  flag.def("set", &kpm::StopFlag::raise).def("is_set", &kpm::StopFlag::raised);
  kpm::add_class<SolvedCell>(module, "SolvedCell").def("to_dict", &SolvedCell::to_dict);
  module.def("solve_cell", &solve_cell, arg("payoffs").noconvert(), arg("prior").noconvert(),
             arg("inventory").noconvert(), arg("risk_aversion"), arg("ambiguity"),
             arg("claim").noconvert(), arg("side").noconvert(), arg("price").noconvert(),
             arg("quantity").noconvert(), arg("cell").noconvert(), arg("tolerance"),
             arg("max_iterations"));
  kpm::add_makers(module);
  kpm::add_auctions(module);
  kpm::add_engine(module);
  kpm::add_validation(module);
  kpm::add_batch(module);
  module.def("project_prior", &project_prior, arg("payoffs").noconvert(), arg("prior").noconvert(),
             arg("low").noconvert(), arg("high").noconvert());
  module.def("available_processors", &kpm::available_processors);
  module.def("build_info", &build_info);
}

/// What Python calls to import the module. Before Python 3.12 pybind11 has no sub-interpreters and
/// would wait for ever for a lock that this very thread holds.
// NOLINTNEXTLINE(bugprone-reserved-identifier): the name is Python's
extern "C" PYBIND11_EXPORT PyObject* PyInit__core() {
  if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
    PyErr_SetString(PyExc_ImportError,
                    "kpm_fast works in the main interpreter only, not in a sub-interpreter");
    return nullptr;
  }
  return PyInit__core_of_main();
}
