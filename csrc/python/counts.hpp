// Numbers of claims, states and priors, which the core counts in 32 bits and NumPy in 64, and the
// columns of a book, of one length.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <limits>
#include <optional>

#include "arrays.hpp"
#include "kpm/kpm.hpp"
#include "kpm/validation.hpp"

namespace kpm {

/// What is wrong with as many of them as there are.
inline Fault count_fault(Field field, py::ssize_t count) {
  if (count > std::numeric_limits<int>::max()) {
    return {Rule::kCount, field, -1, -1, static_cast<double>(count)};
  }
  return {};
}

inline Fault shape_fault(const In<double>& payoffs) {
  const Fault fault = count_fault(Field::kStates, payoffs.shape(1));
  return fault ? fault : count_fault(Field::kClaims, payoffs.shape(0));
}

/// Throws InvalidInput where they are more than the core can count.
inline int count_of(Field field, py::ssize_t count) {
  require(count_fault(field, count));
  return static_cast<int>(count);
}

/// An array of so many entries, as others say: whoever holds one can give it another shape. Throws
/// InvalidInput where there are fewer.
template <class T>
const T* entries_of(const In<T>& array, py::ssize_t count, Field field) {
  if (array.size() < count) {
    require({Rule::kMissing, field, array.size(), -1, 0.0});
  }
  return array.data();
}

inline Orders borrow_orders(const In<std::int64_t>& claim, const In<std::int8_t>& side,
                            const In<double>& price, const In<double>& quantity) {
  Orders orders;
  orders.count = claim.size();
  orders.claim = claim.data();
  orders.side = entries_of(side, orders.count, Field::kSide);
  orders.price = entries_of(price, orders.count, Field::kPrice);
  orders.quantity = entries_of(quantity, orders.count, Field::kQuantity);
  return orders;
}

/// The same with what orders at one limit are ranked by.
inline Orders borrow_orders(const In<std::int64_t>& claim, const In<std::int8_t>& side,
                            const In<double>& price, const In<double>& quantity,
                            const std::optional<In<double>>& time) {
  Orders orders = borrow_orders(claim, side, price, quantity);
  if (time) {
    orders.time = entries_of(*time, orders.count, Field::kTime);
  }
  return orders;
}

/// The claims of a market that has no payoffs yet.
inline void borrow_payoffs(const In<double>& payoffs, Market& market) {
  market.states = count_of(Field::kStates, payoffs.shape(1));
  market.claims = count_of(Field::kClaims, payoffs.shape(0));
  market.payoffs = payoffs.data();
}

}  // namespace kpm
