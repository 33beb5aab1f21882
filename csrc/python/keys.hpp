// The keys of the dictionaries that Python gets, and the dictionaries with their keys in place.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <initializer_list>

namespace kpm {

namespace py = pybind11;

/// A key of an answer. Made once and never dropped: it lives as long as the interpreter.
class Key {
 public:
  explicit Key(const char* name) : text_(PyUnicode_InternFromString(name)) {}

  void set(const py::dict& answer, const py::object& value) const {
    if (PyDict_SetItem(answer.ptr(), text_, value.ptr()) != 0) {
      throw py::error_already_set();
    }
  }
  /// For an attribute with a slot it allocates nothing.
  void set_attribute(const py::object& owner, const py::object& value) const {
    if (PyObject_SetAttr(owner.ptr(), text_, value.ptr()) != 0) {
      throw py::error_already_set();
    }
  }
  void set(const py::dict& answer, double value) const { set(answer, py::float_(value)); }
  void set(const py::dict& answer, int value) const { set(answer, py::int_(value)); }
  void set(const py::dict& answer, std::int64_t value) const { set(answer, py::int_(value)); }
  void set(const py::dict& answer, const char* value) const { set(answer, py::str(value)); }

 private:
  PyObject* text_;
};

/// The keys of the answers: making and hashing them each time is felt in small books.
struct Keys {
  Key status{"status"};
  Key state_prices{"state_prices"};
  Key net_demand{"net_demand"};
  Key certainty_equivalent{"certainty_equivalent"};
  Key dual_bound{"dual_bound"};
  Key gap{"gap"};
  Key primal_residual{"primal_residual"};
  Key dual_residual{"dual_residual"};
  Key iterations{"iterations"};
  Key worst_case{"worst_case"};
  Key marginal_state_prices{"marginal_state_prices"};
  Key multipliers{"multipliers"};
  Key ambiguity_price{"ambiguity_price"};
  Key seconds{"seconds"};

  Key cell{"cell"};
  Key claim_prices{"claim_prices"};
  Key fills{"fills"};
  Key revenue{"revenue"};
  Key payoff{"payoff"};
  Key no_trade_equivalent{"no_trade_equivalent"};
  Key upper_bound{"upper_bound"};
  Key scale{"scale"};
  Key certificate{"certificate"};
  Key stats{"stats"};
  Key tolerance{"tolerance"};
  Key allocation{"allocation"};
  Key market{"market"};
  Key orders{"orders"};

  Key elapsed{"elapsed"};
  Key pieces{"pieces"};
  Key solved{"solved"};
  Key pruned_infeasible{"pruned_infeasible"};
  Key pruned_bound{"pruned_bound"};
  Key nodes{"nodes"};
  Key open{"open"};
  Key relaxations{"relaxations"};
  Key columns{"columns"};
  Key root_bound{"root_bound"};
  Key threads{"threads"};
  Key compile{"compile"};
  Key search{"search"};
  Key select{"select"};
  Key total{"total"};

  Key own_market{"_market"};  // of an engine
};

inline const Keys& keys() {
  static const Keys keys;
  return keys;
}

/// A dictionary with its keys in place, to be copied and filled in: one that grows key by key is
/// made anew several times on the way, which is felt in small books, too.
class Form {
 public:
  Form(std::initializer_list<const Key*> keys) {
    const py::dict blank;
    for (const Key* key : keys) {
      key->set(blank, py::none());
    }
    blank_ = py::object(blank).release().ptr();  // like its keys it is never dropped
  }

  py::dict copy() const {
    PyObject* const made = PyDict_Copy(blank_);
    if (made == nullptr) {
      throw py::error_already_set();
    }
    return py::reinterpret_steal<py::dict>(made);
  }

 private:
  PyObject* blank_;
};

/// The answers that every clearing is made of.
struct Forms {
  Form clearing{
      &keys().status, &keys().cell, &keys().state_prices, &keys().claim_prices, &keys().net_demand,
      &keys().fills, &keys().revenue, &keys().payoff, &keys().certainty_equivalent,
      &keys().no_trade_equivalent, &keys().upper_bound, &keys().scale, &keys().worst_case,
      &keys().marginal_state_prices, &keys().multipliers, &keys().ambiguity_price, &keys().stats,
      // What Python adds: the dictionary becomes the result's own.
      &keys().tolerance, &keys().allocation, &keys().market, &keys().orders, &keys().certificate};
  Form statistics{
      &keys().solved, &keys().pruned_infeasible, &keys().pruned_bound, &keys().nodes,
      &keys().open,   &keys().relaxations,       &keys().columns,      &keys().root_bound,
      &keys().pieces, &keys().iterations,        &keys().threads,      &keys().seconds};
};

inline const Forms& forms() {
  static const Forms forms;
  return forms;
}

}  // namespace kpm
