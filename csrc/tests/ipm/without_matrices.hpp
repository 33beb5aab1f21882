// What is compared of a market whose structure is known and of the same one treated as general.
#pragma once

#include <algorithm>
#include <vector>

#include "ipm/predictor_corrector.hpp"
#include "search/tree/relaxation_program.hpp"

namespace kpm::test {

/// The same market treated as a general one.
inline ScaledMarket without_structure(ScaledMarket market) {
  market.disjoint = {};
  market.nested = {};
  market.strikes = {};
  return market;
}

/// The bound of the relaxation over all prices.
inline double relaxation_bound(const ScaledMarket& market, const std::vector<Corners>& corners) {
  Arena arena;
  RelaxationProgram program(market, corners, arena);
  const Box box = whole(corners);
  program.load(box, nullptr, -kInfinity, 0.0, 0);
  program.forget();
  int iterations = 0;
  run_predictor_corrector(program, 1e-11, Attempt{0.1, 0.2}, 200, iterations, [] {});
  return program.bound();
}

/// Farkas' lemma, after feasible() said no: below zero if no state prices reach the ranges.
template <class Ranges>
double farkas_sum(const ScaledMarket& market, const Ranges& ranges) {
  double sum = 0.0;
  Array lambda(market.claims());
  for (int k = 0; k < market.claims(); ++k) {
    lambda[k] = ranges.farkas_multiplier(k);
    sum += std::max(lambda[k] * ranges.range_low(k), lambda[k] * ranges.range_high(k));
  }
  return sum + (-(market.payoffs.transpose() * lambda.matrix())).maxCoeff();
}

}  // namespace kpm::test
