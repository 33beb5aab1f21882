// That a system of a structured market's step agrees with the dense matrices.
#pragma once

#include <cmath>

#include "book/scaled_market.hpp"
#include "check.hpp"
#include "ipm/risk_block.hpp"
#include "random_dense.hpp"

namespace kpm::test {

/// H = P (dg/dL) P' from the risk block's roots.
inline Matrix dense_curvature(const ScaledMarket& market, const RiskBlock& risk) {
  Matrix roots(market.claims(), risk.root_size());
  for (int k = 0; k < market.claims(); ++k) {
    risk.root(&market.payoffs(k, 0), 1.0, &roots(k, 0));
  }
  return roots * roots.transpose();
}

/// At a random point of the risk block and with random numbers for the rest of the step.
template <class System>
void check_step_system(const ScaledMarket& market, Random& random) {
  const int claims = market.claims();
  Arena arena;
  RiskBlock risk(market, arena);
  Array loss = random_array(random, market.states());
  Slice scale = arena.array(claims);
  Slice slope = arena.array(claims);
  Slice alone = arena.array(claims);
  Slice weight = arena.array(market.states());
  for (int k = 0; k < claims; ++k) {
    scale[k] = random.below(3) == 0 ? 0.0 : std::pow(10.0, random.uniform(-3.0, 3.0));
    slope[k] = scale[k] > 0.0 && random.below(4) > 0 ? -random.uniform() : 0.0;
    alone[k] = random.below(3) == 0 ? 0.0 : random.uniform(0.0, 0.1);
  }
  for (double& entry : weight) {
    entry = std::pow(10.0, random.uniform(-4.0, 2.0));
  }
  risk.start(loss, std::pow(10.0, random.uniform(-6.0, 0.0)), 0.3);
  risk.update_residuals(loss.data());

  System system(market, risk, arena);
  system.factor(weight, alone, slope, scale);
  const Matrix curvature = dense_curvature(market, risk);
  const double size = curvature.diagonal().maxCoeff();
  Slice y = arena.array(claims);
  Slice applied = arena.array(claims);
  y = random_array(random, claims);
  system.apply(y, applied);
  const Vector wanted = curvature * y.matrix();
  for (int k = 0; k < claims; ++k) {
    CHECK_NEAR(applied[k], wanted[k], 1e-9 * (1.0 + size));
    const double square = scale[k] * scale[k];
    double unshared = 0.0;  // without what all states share, which is subtracted
    for (int i = 0; i < market.states(); ++i) {
      const RiskBlock::Curvature of = risk.curvature(i);
      unshared += market.payoffs(k, i) * market.payoffs(k, i) * (of.of_g + of.of_p * of.gp * of.gp);
    }
    CHECK_NEAR(system.diagonal(k), 1.0 + square * curvature(k, k),
               1e-11 * (1.0 + square * unshared));  // only compared with 2
  }

  // (prices, b; -b, values), and right-hand sides in its range: it may be singular.
  const Matrix diagonal = Matrix(scale.matrix().asDiagonal());
  Matrix prices = market.payoffs * weight.matrix().asDiagonal() * market.payoffs.transpose();
  const Vector mean = market.payoffs * weight.matrix();
  prices -= mean * mean.transpose() / weight.sum();
  prices += Matrix(alone.matrix().asDiagonal());
  const Matrix values = Matrix::Identity(claims, claims) + diagonal * curvature * diagonal;
  const auto price_rows = [&](const ArrayView& x, const ArrayView& e) -> Array {
    return (prices * x.matrix()).array() + slope * e;
  };
  const auto value_rows = [&](const ArrayView& x, const ArrayView& e) -> Array {
    return (values * e.matrix()).array() - slope * x;
  };
  Slice x = arena.array(claims);
  Slice e = arena.array(claims);
  const Array known_x = random_array(random, claims);
  const Array known_e = random_array(random, claims);
  const Array of_prices = price_rows(known_x, known_e);
  const Array of_values = value_rows(known_x, known_e);
  x = of_prices;
  e = of_values;
  system.solve_in_place(x, e);
  const double most = 1.0 + of_prices.abs().maxCoeff() + of_values.abs().maxCoeff();
  CHECK_NEAR((price_rows(x, e) - of_prices).abs().maxCoeff(), 0.0, 1e-10 * most);
  CHECK_NEAR((value_rows(x, e) - of_values).abs().maxCoeff(), 0.0, 1e-10 * most);
}

}  // namespace kpm::test
