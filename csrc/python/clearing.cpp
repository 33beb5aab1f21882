#include "clearing.hpp"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "instances.hpp"
#include "interpreter_lock.hpp"
#include "keys.hpp"
#include "kpm/polls.hpp"
#include "signal_watch.hpp"

namespace kpm {

const char* name_of(Status status) {
  switch (status) {
    case Status::kOptimal:
      return "optimal";
    case Status::kTimeLimit:
      return "time_limit";
    case Status::kNodeLimit:
      return "node_limit";
    case Status::kInterrupted:
      return "interrupted";
    case Status::kInaccurate:
      return "inaccurate";
    case Status::kInfeasible:
      break;
  }
  return "infeasible";
}

void add_support(py::dict& result, const Support& support) {
  const Keys& key = keys();
  key.worst_case.set(result, to_array(support.worst_case));
  key.marginal_state_prices.set(result, to_array(support.marginal_state_prices));
  key.multipliers.set(result, to_array(support.multipliers));
  key.ambiguity_price.set(result, support.ambiguity_price);
}

namespace {

template <class T>
py::array_t<T> to_table(const std::vector<T>& from, std::int64_t rows) {
  const auto count = static_cast<py::ssize_t>(rows);
  const py::ssize_t shape[] = {count,
                               count > 0 ? static_cast<py::ssize_t>(from.size()) / count : 0};
  return to_array(from, 2, shape);
}

py::dict to_dict(const Certificate& certificate) {
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

void add_progress(py::dict& result, const Progress& progress) {
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

/// How much work a clearing was, as it left the core. Its dictionary is made when somebody asks: it
/// takes as long as all other figures of a small book.
struct Work {
  Progress progress;
  std::vector<std::int64_t> pieces;
  std::int64_t iterations;
  int threads;
  double seconds_compile;
  double seconds_search;
  double seconds_select;
  double seconds_total;

  py::dict to_dict() const {
    const Keys& key = keys();
    py::dict result = forms().statistics.copy();
    add_progress(result, progress);
    key.pieces.set(result, py::cast(pieces));
    key.iterations.set(result, iterations);
    key.threads.set(result, threads);
    py::dict seconds;
    key.compile.set(seconds, seconds_compile);
    key.search.set(seconds, seconds_search);
    key.select.set(seconds, seconds_select);
    key.total.set(seconds, seconds_total);
    key.seconds.set(result, seconds);
    return result;
  }
};

/// Runs on the calling thread: looks for Ctrl-C or calls Python now and then.
class PythonMonitor : public SignalWatch {
 public:
  explicit PythonMonitor(py::object progress) : progress_(std::move(progress)) {}

  bool operator()(const Progress& progress) {
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
      PyObject* answer = call_python(
          [&] { return PyObject_CallFunctionObjArgs(progress_.ptr(), report.ptr(), nullptr); });
      if (answer == nullptr) {
        throw py::error_already_set();
      }
      return py::reinterpret_steal<py::object>(answer).cast<bool>();
    } catch (py::error_already_set& error) {
      note(std::move(error));  // Ctrl-C may come there, too
      return true;
    }
  }

 private:
  py::object progress_;
};

py::dict to_dict(Clearing&& clearing) {
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
  if (clearing.certificate.leaves > 0) {
    key.certificate.set(result, to_dict(clearing.certificate));
  }
  key.stats.set(
      result, to_instance(Work{clearing.progress, std::move(clearing.pieces), clearing.iterations,
                               clearing.threads, clearing.seconds_compile, clearing.seconds_search,
                               clearing.seconds_select, clearing.seconds_total}));
  return result;
}

std::unique_ptr<Polls> make_polls(std::int64_t stop_at, int signal) {
  return std::make_unique<Polls>(Polls{stop_at, signal});
}

std::unique_ptr<ClearSettings> make_settings(const std::string& method, double tolerance,
                                             int threads, double time_limit,
                                             std::int64_t node_limit, bool prune_bounds,
                                             bool presolve, bool certificate,
                                             const std::string& allocation) {
  auto made = std::make_unique<ClearSettings>();
  made->method = method == "enumerate" ? Method::kEnumerate : Method::kBranchAndBound;
  made->tolerance = tolerance;
  made->threads = threads;
  made->time_limit = time_limit;
  made->node_limit = node_limit;
  made->prune_bound = prune_bounds;
  made->presolve = presolve;
  made->certificate = certificate;
  made->allocation = allocation == "time" ? Allocation::kTime : Allocation::kProRata;
  return made;
}

}  // namespace

void add_settings(py::module_& module) {
  using py::arg;
  using Self = ClearSettings;
  add_class<Work>(module, "Work").def("to_dict", &Work::to_dict);
  auto counted = add_class<Polls>(module, "Polls");
  add_constructor(counted, make_polls, arg("stop_at"), arg("signal") = 0);
  counted.def_readonly("count", &Polls::count)
      .def_readonly("search", &Polls::search)
      .def_readonly("longest", &Polls::longest);
  auto settings = add_class<Self>(module, "ClearSettings");
  add_constructor(settings, make_settings, py::kw_only(), arg("method"), arg("tolerance"),
                  arg("threads"), arg("time_limit"), arg("node_limit"), arg("prune_bounds"),
                  arg("presolve"), arg("certificate"), arg("allocation"));
  settings
      .def("at_once",
           [](Self self) {
             self.thread_delay = 0.0;
             return to_instance(std::move(self));
           })
      .def(
          "counting",
          [](Self self, Polls& polls) {
            self.polls = &polls;
            return to_instance(std::move(self));
          },
          py::keep_alive<0, 2>());
}

py::dict clear_for_python(const ClearSettings& settings, py::object progress, OptionalStop stop,
                          const Solve& solve) {
  ClearSettings watched = settings;
  const bool listens = !progress.is_none();
  PythonMonitor monitor(std::move(progress));
  Clearing clearing;
  {
    Unlocked unlocked;
    bool begun = false;
    if (listens) {
      watched.monitor = [&](const Progress& state) {
        const Unlocked::Relocked lock(unlocked);
        return monitor(state);
      };
    }
    watched.interrupted = [&] {
      if (stop && stop->get().raised()) {
        return true;
      }
      if (!begun) {  // Python has just looked for signals
        begun = true;
        return false;
      }
      const Unlocked::Relocked lock(unlocked);
      return monitor.interrupted();
    };
    clearing = solve(watched);
  }
  monitor.rethrow();
  monitor.pass_on(clearing.status);
  return to_dict(std::move(clearing));
}

}  // namespace kpm
