#include "engine.hpp"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "auction.hpp"
#include "clearing.hpp"
#include "fault.hpp"
#include "instances.hpp"
#include "interpreter_lock.hpp"
#include "keys.hpp"
#include "kpm/engine.hpp"
#include "maker_model.hpp"
#include "stop_flag.hpp"

namespace kpm {

namespace {

Engine engine_for(const GivenMaker& given, std::int64_t orders) {
  return Engine(given.market, given.maker, {orders});
}

template <class T>
py::array_t<T> column(const T* from, std::int64_t count) {
  return to_array(std::vector<T>(from, from + count));
}

/// For who holds the lock and calls while the engine clears: a callback.
[[noreturn]] void refuse() {
  PyErr_SetString(py::module_::import("kpm_fast.errors").attr("KpmError").ptr(),
                  "an engine cannot be used by a callback of its own clearing");
  throw py::error_already_set();
}

/// The engine as Python sees it, with the table of its orders' names. An engine serves one thread:
/// the caller holds its lock. An event changes book and table in one call: between two calls of
/// Python a signal's handler may raise.
class PythonEngine {
 public:
  PythonEngine(const py::dict& maker, const In<double>& payoffs, const In<double>& inventory,
               std::int64_t orders, py::dict numbers, py::dict names)
      : engine_(engine_for(borrow_market(maker, payoffs, inventory), orders)),
        numbers_(std::move(numbers)),
        names_(std::move(names)) {}

  // Zeros have one sign, as in the columns of a book.
  py::object add(std::int64_t claim, std::int64_t side, double price, double quantity,
                 std::int64_t id, const py::object& name) {
    check_idle();
    const py::int_ number(id);
    py::object fault = to_python(engine_.add(claim, side, price + 0.0, quantity + 0.0, id));
    if (fault.is_none() && (PyDict_SetItem(names_.ptr(), number.ptr(), name.ptr()) != 0 ||
                            PyDict_SetItem(numbers_.ptr(), name.ptr(), number.ptr()) != 0)) {
      static_cast<void>(engine_.cancel(id));
      forget(number, name);
      throw std::bad_alloc();
    }
    ++changes_;
    return fault;
  }
  py::object cancel(std::int64_t id, const py::object& name) {
    check_idle();
    const py::int_ number(id);
    py::object fault = to_python(engine_.cancel(id));
    if (fault.is_none()) {
      forget(number, name);
    }
    ++changes_;
    return fault;
  }
  py::object reduce(std::int64_t id, double quantity) {
    check_idle();
    ++changes_;
    return to_python(engine_.reduce(id, quantity + 0.0));
  }
  py::object replace(std::int64_t id, double price, double quantity) {
    check_idle();
    ++changes_;
    return to_python(engine_.replace(id, price + 0.0, quantity + 0.0));
  }
  void remove_all() {
    check_idle();
    ++changes_;
    engine_.remove_all();
    numbers_.clear();
    names_.clear();
  }

  /// What has `_market` is told of it with the core.
  py::object set_market(const py::dict& maker, const In<double>& payoffs,
                        const In<double>& inventory, const py::object& owner,
                        const py::object& market) {
    check_idle();
    const GivenMaker given = borrow_market(maker, payoffs, inventory);
    py::object fault = to_python(engine_.set_market(given.market, given.maker));
    if (fault.is_none()) {
      keys().own_market.set_attribute(owner, market);
    }
    return fault;
  }

  /// A number that changes with the orders; refused during a clearing.
  py::int_ changes() const {
    check_idle();
    return changes_;
  }

  void check_idle() const {
    if (clearing_) {
      refuse();
    }
  }

  /// None, or (claim, side, price, quantity).
  py::object find(std::int64_t id) const {
    BookOrder order;
    if (!engine_.find(id, order)) {
      return py::none();
    }
    return py::make_tuple(order.claim, static_cast<int>(order.side), order.price, order.quantity);
  }

  /// (claim, side, price, quantity, id), by priority.
  py::tuple orders() {
    const BookColumns book = engine_.orders();
    const Orders& orders = book.orders;
    return py::make_tuple(column(orders.claim, orders.count), column(orders.side, orders.count),
                          column(orders.price, orders.count), column(orders.quantity, orders.count),
                          column(book.id, orders.count));
  }

  py::dict clear(const ClearSettings& settings, py::object progress, OptionalStop stop, bool cold) {
    const Watch watch(*this);
    if (cold) {
      engine_.forget();
    }
    return clear_for_python(settings, std::move(progress), stop,
                            [&](const ClearSettings& watched) { return engine_.clear(watched); });
  }

  py::dict clear_auction(const std::string& allocation, const std::string& rule, double tolerance,
                         double time_limit, OptionalStop stop, bool cold) {
    const Watch watch(*this);
    if (cold) {
      engine_.forget();
    }
    return auction_for_python(
        allocation, rule, tolerance, time_limit, stop,
        [&](const AuctionSettings& settings) { return engine_.clear(settings); });
  }

  py::int_ warm_clearings() const { return engine_.warm_clearings(); }

  py::bytes snapshot() {
    std::string bytes(engine_.snapshot_size(), '\0');
    engine_.snapshot(reinterpret_cast<std::uint8_t*>(bytes.data()));
    return py::bytes(bytes);
  }
  py::object restore(const py::bytes& bytes) {
    const auto view = static_cast<std::string_view>(bytes);
    return to_python(
        engine_.restore(reinterpret_cast<const std::uint8_t*>(view.data()), view.size()));
  }
  py::int_ state_hash() { return engine_.state_hash(); }

 private:
  /// Says, while it lives, that the engine clears.
  class Watch {
   public:
    explicit Watch(PythonEngine& engine) : engine_(engine) {
      engine.check_idle();
      engine.clearing_ = true;
    }
    ~Watch() { engine_.clearing_ = false; }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    PythonEngine& engine_;
  };

  void forget(const py::object& number, const py::object& name) {
    PyErr_Clear();  // of the dictionary that had no memory
    for (const auto& [table, key] : {std::pair{&names_, &number}, std::pair{&numbers_, &name}}) {
      if (PyDict_DelItem(table->ptr(), key->ptr()) != 0) {
        PyErr_Clear();
      }
    }
  }

  Engine engine_;
  py::dict numbers_;  // by name
  py::dict names_;    // by number
  std::int64_t changes_ = 0;
  bool clearing_ = false;
};

std::unique_ptr<PythonEngine> make_engine(const py::dict& maker, const In<double>& payoffs,
                                          const In<double>& inventory, std::int64_t orders,
                                          py::dict numbers, py::dict names) {
  return std::make_unique<PythonEngine>(maker, payoffs, inventory, orders, std::move(numbers),
                                        std::move(names));
}

}  // namespace

void add_engine(py::module_& module) {
  using py::arg;
  auto engine = add_class<PythonEngine>(module, "Engine");
  add_constructor(engine, make_engine, arg("maker"), arg("payoffs").noconvert(),
                  arg("inventory").noconvert(), arg("orders"), arg("numbers"), arg("names"));
  engine.def("add", &PythonEngine::add)
      .def("cancel", &PythonEngine::cancel)
      .def("reduce", &PythonEngine::reduce)
      .def("replace", &PythonEngine::replace)
      .def("remove_all", &PythonEngine::remove_all)
      .def("set_market", &PythonEngine::set_market)
      .def("changes", &PythonEngine::changes)
      .def("find", &PythonEngine::find)
      .def("orders", &PythonEngine::orders)
      .def("clear", &PythonEngine::clear, arg("settings"), arg("progress").none(true),
           arg("stop").none(true), arg("cold"))
      .def("clear_auction", &PythonEngine::clear_auction, arg("allocation"), arg("rule"),
           arg("tolerance"), arg("time_limit"), arg("stop").none(true), arg("cold"))
      .def("warm_clearings", &PythonEngine::warm_clearings)
      .def("snapshot", &PythonEngine::snapshot)
      .def("restore", &PythonEngine::restore)
      .def("state_hash", &PythonEngine::state_hash);
}

}  // namespace kpm
