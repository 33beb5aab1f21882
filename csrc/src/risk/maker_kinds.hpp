// All that is done kind by kind: a maker of each, its function, its parameters in a book's units.
#pragma once

#include <memory>

#include "book/scaled_market.hpp"
#include "kpm/makers.hpp"
#include "numerics/arena.hpp"
#include "numerics/dense.hpp"
#include "risk/maker.hpp"
#include "risk/maker_function.hpp"

namespace kpm {

/// The maker of quotes and trades. Parameters are copied.
std::unique_ptr<Maker> make_maker(const MakerModel& model);

/// Parameters in units of the book's notional; inventory, prior and a Knightian maker's preferences
/// are those of the scaled market. C is taken less C(0) where that is not zero: a constant.
struct ScaledMaker {
  ScaledMaker(const MakerModel& maker, const ScaledMarket& scaled);

  MakerKind kind;
  Array prior;                 ///< (states) q, pi, delta / sum delta, the mean of the vertices
  double total = 0.0;          ///< sum of delta, kStartingOrders
  double wealth = 0.0;         ///< kUtility
  double curvature = 0.0;      ///< kQuadratic
  double risk_aversion = 1.0;  ///< kPolytope
  Matrix priors;               ///< (vertices, states), kPolytope
};

/// Its cost, which borrows both.
std::unique_ptr<MakerFunction> make_function(const ScaledMarket& market, const ScaledMaker& maker,
                                             Arena& arena);

/// (1/a) ln E_p e^{a loss} for vertex v of a polytope, and its gradient.
double certainty_equivalent(const ScaledMaker& maker, int v, double a, const ArrayView& loss,
                            double* gradient);

/// The prior a maker's market has: its own, what its starting orders imply, the mean of its
/// vertices, or all states alike.
Array prior_of(const MakerModel& maker);

/// C(0), in the maker's money: not zero for the log barrier only.
double cost_of_nothing(const MakerModel& maker);

}  // namespace kpm
