// Numbers of claims, states and priors: the core counts them in 32 bits, NumPy in 64.
#pragma once

#include <pybind11/pybind11.h>

#include <limits>

#include "arrays.hpp"
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

/// The claims of a market that has no payoffs yet.
inline void borrow_payoffs(const In<double>& payoffs, Market& market) {
  market.states = count_of(Field::kStates, payoffs.shape(1));
  market.claims = count_of(Field::kClaims, payoffs.shape(0));
  market.payoffs = payoffs.data();
}

}  // namespace kpm
