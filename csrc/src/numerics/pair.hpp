// Two doubles at a time: every processor that we build for has instructions for them.
#pragma once

#include <algorithm>

#include "numerics/dense.hpp"
#include "numerics/entropy.hpp"

namespace kpm {

using Pair = Eigen::Array2d;
using PairSlice = Eigen::Map<Pair>;  ///< two neighbours in an array

/// Entries 2k and 2k + 1 of an array of `count`; the last one twice where the count is odd.
inline Pair pair_of(const double* values, Eigen::Index count, Eigen::Index k) {
  return {values[2 * k], values[std::min(2 * k + 1, count - 1)]};
}

/// Entries i and i + 1 of an array.
inline Pair two_of(const Array& values, Eigen::Index i) {
  return Eigen::Map<const Pair>(values.data() + i);
}
inline PairSlice two_of(Array& values, Eigen::Index i) { return PairSlice(values.data() + i); }

/// out += times row, entry by entry: of a few numbers, for which a call would take as long.
inline void add_row(double times, const double* row, Eigen::Index count, double* out) {
  Eigen::Index i = 0;
  for (; i + 2 <= count; i += 2) {
    PairSlice(out + i) += times * Eigen::Map<const Pair>(row + i);
  }
  if (i < count) {
    out[i] += times * row[i];
  }
}

/// A function of both. Equal arguments, an odd count's last entry, are computed once.
template <class Function>
Pair each_of(const Pair& x, Function&& function) {
  const double first = function(x[0]);
  return {first, x[1] == x[0] ? first : function(x[1])};
}

struct PairPower {
  Pair value, excess;
};

inline PairPower powers_of(const Pair& u) {
  const Power first = power_of(u[0]);
  const Power second = u[1] == u[0] ? first : power_of(u[1]);
  return {{first.value, second.value}, {first.excess, second.excess}};
}

}  // namespace kpm
