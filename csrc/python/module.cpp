// The Python module: arrays in, plain dictionaries out. The only file that knows Python.
// A cell's dictionary is made when asked for: making it takes as long as an iteration or two.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "auction.hpp"
#include "batch.hpp"
#include "interpreter_lock.hpp"
#include "keys.hpp"
#include "kpm/kpm.hpp"
#include "maker_model.hpp"
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
  market.claims = static_cast<int>(payoffs.shape(0));
  market.states = static_cast<int>(payoffs.shape(1));
  market.payoffs = payoffs.data();
  return market;
}

kpm::Market borrow_market(const In<double>& payoffs, const In<double>& prior,
                          const In<double>& inventory, double risk_aversion, double ambiguity) {
  kpm::Market market = borrow_claims(payoffs);
  market.prior = prior.data();
  market.inventory = inventory.data();
  market.risk_aversion = risk_aversion;
  market.ambiguity = ambiguity;
  return market;
}

kpm::Orders borrow_orders(const In<std::int64_t>& claim, const In<std::int8_t>& side,
                          const In<double>& price, const In<double>& quantity) {
  kpm::Orders orders;
  orders.count = claim.shape(0);
  orders.claim = claim.data();
  orders.side = side.data();
  orders.price = price.data();
  orders.quantity = quantity.data();
  return orders;
}

const char* name_of(kpm::Status status) {
  switch (status) {
    case kpm::Status::kOptimal:
      return "optimal";
    case kpm::Status::kTimeLimit:
      return "time_limit";
    case kpm::Status::kNodeLimit:
      return "node_limit";
    case kpm::Status::kInterrupted:
      return "interrupted";
    case kpm::Status::kInaccurate:
      return "inaccurate";
    case kpm::Status::kInfeasible:
      break;
  }
  return "infeasible";
}

void add_support(py::dict& result, const kpm::Support& support) {
  const Keys& key = keys();
  key.worst_case.set(result, to_array(support.worst_case));
  key.marginal_state_prices.set(result, to_array(support.marginal_state_prices));
  key.multipliers.set(result, to_array(support.multipliers));
  key.ambiguity_price.set(result, support.ambiguity_price);
}

template <class T>
py::array_t<T> to_table(const std::vector<T>& from, std::int64_t rows) {
  const auto count = static_cast<py::ssize_t>(rows);
  const auto columns = count > 0 ? static_cast<py::ssize_t>(from.size()) / count : 0;
  return frozen(py::array_t<T>({count, columns}, from.data()));
}

py::dict to_dict(const kpm::Certificate& certificate) {
  py::dict result;
  result["merged_into"] = to_array(certificate.merged_into);
  result["first"] = to_table(certificate.first, certificate.leaves);
  result["last"] = to_table(certificate.last, certificate.leaves);
  result["worst_case"] = to_table(certificate.worst_case, certificate.leaves);
  result["marginal_state_prices"] = to_table(certificate.marginal_state_prices, certificate.leaves);
  result["multipliers"] = to_table(certificate.multipliers, certificate.leaves);
  result["bound"] = to_array(certificate.bound);
  return result;
}

void add_progress(py::dict& result, const kpm::Progress& progress) {
  const Keys& key = keys();
  key.solved.set(result, progress.solved);
  key.pruned_infeasible.set(result, progress.pruned_infeasible);
  key.pruned_bound.set(result, progress.pruned_bound);
  key.nodes.set(result, progress.nodes);
  key.open.set(result, progress.open);
  key.relaxations.set(result, progress.relaxations);
  key.columns.set(result, progress.columns);
  key.root_bound.set(result, progress.root_bound);
}

/// How much work a clearing was.
py::dict statistics(const kpm::Clearing& clearing) {
  const Keys& key = keys();
  py::dict result = forms().statistics.copy();
  add_progress(result, clearing.progress);
  key.pieces.set(result, py::cast(clearing.pieces));
  key.iterations.set(result, clearing.iterations);
  key.threads.set(result, clearing.threads);
  py::dict seconds;
  key.compile.set(seconds, clearing.seconds_compile);
  key.search.set(seconds, clearing.seconds_search);
  key.select.set(seconds, clearing.seconds_select);
  key.total.set(seconds, clearing.seconds_total);
  key.seconds.set(result, seconds);
  return result;
}

/// Runs on the calling thread: looks for Ctrl-C or calls Python now and then. A Python error stops
/// the search and is raised once the core has returned.
class PythonMonitor {
 public:
  explicit PythonMonitor(py::object progress) : progress_(std::move(progress)) {}

  bool interrupted() {
    if (PyErr_CheckSignals() == 0) {
      return false;
    }
    if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt) != 0) {
      PyErr_Clear();  // Ctrl-C: the best clearing so far is the answer
      interrupted_ = true;
    } else {
      error_.emplace();
    }
    return true;
  }

  bool operator()(const kpm::Progress& progress) {
    if (progress_.is_none()) {
      return false;
    }
    try {
      py::dict report;
      const Keys& key = keys();
      key.elapsed.set(report, progress.elapsed);
      add_progress(report, progress);
      key.certainty_equivalent.set(report, progress.certainty_equivalent);
      key.upper_bound.set(report, progress.upper_bound);
      PyObject* answer = kpm::call_python(
          [&] { return PyObject_CallFunctionObjArgs(progress_.ptr(), report.ptr(), nullptr); });
      if (answer == nullptr) {
        throw py::error_already_set();
      }
      return py::reinterpret_steal<py::object>(answer).cast<bool>();
    } catch (py::error_already_set& error) {
      if (error.matches(PyExc_KeyboardInterrupt)) {  // Ctrl-C may find us there, too
        interrupted_ = true;
      } else {
        error_ = std::move(error);
      }
      return true;
    }
  }

  /// Ctrl-C that came after the proof stopped nothing here: it goes on to the caller, whose loop
  /// over many books would otherwise never hear of it.
  void pass_on(kpm::Status status) const {
    if (interrupted_ && status != kpm::Status::kInterrupted) {
      PyErr_SetInterrupt();
    }
  }

  void rethrow() {
    if (error_) {
      throw std::move(*error_);
    }
  }

 private:
  py::object progress_;
  std::optional<py::error_already_set> error_;
  bool interrupted_ = false;
};

py::list staircases(const In<double>& payoffs, const In<std::int64_t>& claim,
                    const In<std::int8_t>& side, const In<double>& price,
                    const In<double>& quantity) {
  const kpm::Market market = borrow_claims(payoffs);
  py::list result;
  for (const auto& pieces : kpm::staircases(market, borrow_orders(claim, side, price, quantity))) {
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
       kpm::count_pieces(market, borrow_orders(claim, side, price, quantity))) {
    result.append(pieces);
  }
  return result;
}

py::dict clear(const In<double>& payoffs, const In<double>& prior, const In<double>& inventory,
               double risk_aversion, double ambiguity, const In<std::int64_t>& claim,
               const In<std::int8_t>& side, const In<double>& price, const In<double>& quantity,
               const std::optional<In<double>>& time, const std::string& allocation,
               const std::string& method, double tolerance, int threads, double time_limit,
               std::int64_t node_limit, bool prune_bound, bool presolve, bool certificate,
               py::object progress, double thread_delay, const kpm::StopFlag* stop) {
  const kpm::Market market = borrow_market(payoffs, prior, inventory, risk_aversion, ambiguity);
  kpm::Orders orders = borrow_orders(claim, side, price, quantity);
  orders.time = time ? time->data() : nullptr;
  kpm::ClearSettings settings;
  settings.method = method == "enumerate" ? kpm::Method::kEnumerate : kpm::Method::kBranchAndBound;
  settings.tolerance = tolerance;
  settings.threads = threads;
  settings.thread_delay = thread_delay;
  settings.time_limit = time_limit;
  settings.node_limit = node_limit;
  settings.prune_bound = prune_bound;
  settings.presolve = presolve;
  settings.certificate = certificate;
  settings.allocation = allocation == "time" ? kpm::Allocation::kTime : kpm::Allocation::kProRata;
  PythonMonitor monitor(std::move(progress));

  kpm::Clearing clearing;
  {
    kpm::Unlocked unlocked;
    settings.monitor = [&](const kpm::Progress& state) {
      const kpm::Unlocked::Relocked lock(unlocked);
      return monitor(state);
    };
    settings.interrupted = [&] {
      if (stop != nullptr && stop->raised()) {
        return true;
      }
      const kpm::Unlocked::Relocked lock(unlocked);
      return monitor.interrupted();
    };
    clearing = kpm::clear(market, orders, settings);
  }
  monitor.rethrow();
  monitor.pass_on(clearing.status);

  const Keys& key = keys();
  py::dict result = forms().clearing.copy();
  key.status.set(result, name_of(clearing.status));
  key.cell.set(result, to_array(clearing.cell));
  key.state_prices.set(result, to_array(clearing.state_prices));
  key.claim_prices.set(result, to_array(clearing.claim_prices));
  key.net_demand.set(result, to_array(clearing.net_demand));
  key.fills.set(result, to_array(clearing.fills));
  key.revenue.set(result, clearing.revenue);
  key.payoff.set(result, to_array(clearing.payoff));
  key.certainty_equivalent.set(result, clearing.certainty_equivalent);
  key.no_trade_equivalent.set(result, clearing.no_trade_equivalent);
  key.upper_bound.set(result, clearing.upper_bound);
  key.scale.set(result, clearing.scale);
  add_support(result, clearing.support);
  if (settings.certificate) {
    key.certificate.set(result, to_dict(clearing.certificate));
  }
  key.stats.set(result, statistics(clearing));
  return result;
}

/// The answer for a cell, as it left the core.
struct SolvedCell {
  kpm::CellSolution solution;
  double seconds;

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

SolvedCell solve_cell(const In<double>& payoffs, const In<double>& prior,
                      const In<double>& inventory, double risk_aversion, double ambiguity,
                      const In<std::int64_t>& claim, const In<std::int8_t>& side,
                      const In<double>& price, const In<double>& quantity,
                      const In<std::int64_t>& cell, double tolerance, int max_iterations) {
  const kpm::Market market = borrow_market(payoffs, prior, inventory, risk_aversion, ambiguity);
  const kpm::Orders orders = borrow_orders(claim, side, price, quantity);
  const std::int64_t* pieces = cell.data();
  kpm::CellSettings settings;
  settings.tolerance = tolerance;
  settings.max_iterations = max_iterations;
  const kpm::Unlocked unlocked;
  const auto start = std::chrono::steady_clock::now();
  kpm::CellSolution solution = kpm::solve_cell(market, orders, pieces, settings);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return {std::move(solution), elapsed.count()};
}

py::tuple project_prior(const In<double>& payoffs, const In<double>& prior, const In<double>& low,
                        const In<double>& high) {
  kpm::Market market = borrow_claims(payoffs);
  market.prior = prior.data();
  const double* const from = low.data();  // arrays are looked at with the lock held
  const double* const to = high.data();
  kpm::PriorProjection projection;
  {
    const kpm::Unlocked unlocked;
    projection = kpm::project_prior(market, from, to);
  }
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

// No function has state that outlives a call, and arrays are only read: without the interpreter's
// lock threads do not meet here either.
PYBIND11_MODULE(_core_of_main, module, py::mod_gil_not_used(),
                py::multiple_interpreters::not_supported()) {
  module.doc() = "Compiled core of kpm_fast. Private: use the package.";
  forms();  // made now: threads that wait for the first to make them would keep Python waiting
  using py::arg;
  module.def("staircases", &staircases, arg("payoffs").noconvert(), arg("claim").noconvert(),
             arg("side").noconvert(), arg("price").noconvert(), arg("quantity").noconvert());
  module.def("count_pieces", &count_pieces, arg("payoffs").noconvert(), arg("claim").noconvert(),
             arg("side").noconvert(), arg("price").noconvert(), arg("quantity").noconvert());
  module.def("clear", &clear, arg("payoffs").noconvert(), arg("prior").noconvert(),
             arg("inventory").noconvert(), arg("risk_aversion"), arg("ambiguity"),
             arg("claim").noconvert(), arg("side").noconvert(), arg("price").noconvert(),
             arg("quantity").noconvert(), arg("time").none(true), arg("allocation"), arg("method"),
             arg("tolerance"), arg("threads"), arg("time_limit"), arg("node_limit"),
             arg("prune_bound"), arg("presolve"), arg("certificate"), arg("progress").none(true),
             arg("thread_delay") = kpm::ClearSettings{}.thread_delay,
             arg("stop").none(true) = py::none());
  py::class_<kpm::StopFlag>(module, "StopFlag")
      .def(py::init<>())
      .def("set", &kpm::StopFlag::raise)
      .def("is_set", &kpm::StopFlag::raised);
  py::class_<SolvedCell>(module, "SolvedCell").def("to_dict", &SolvedCell::to_dict);
  module.def("solve_cell", &solve_cell, arg("payoffs").noconvert(), arg("prior").noconvert(),
             arg("inventory").noconvert(), arg("risk_aversion"), arg("ambiguity"),
             arg("claim").noconvert(), arg("side").noconvert(), arg("price").noconvert(),
             arg("quantity").noconvert(), arg("cell").noconvert(), arg("tolerance"),
             arg("max_iterations"));
  kpm::add_makers(module);
  kpm::add_auctions(module);
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
