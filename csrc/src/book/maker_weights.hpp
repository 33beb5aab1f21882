// A maker's numbers: for the states its prior, starting orders or polytope, and its own.
#pragma once

#include "kpm/makers.hpp"

namespace kpm {

/// A number for each state, row by row: a prior, starting orders, or the vertices of a polytope.
struct MakerWeights {
  const double* first = nullptr;  ///< (rows, states)
  int rows = 0;                   ///< none: all states are alike to the maker
};

inline MakerWeights weights_of(const MakerModel& maker) {
  switch (maker.kind) {
    case MakerKind::kStartingOrders:
      return {maker.delta, 1};
    case MakerKind::kWorstState:
      return {};
    case MakerKind::kPolytope:
      return {maker.vertices, maker.priors};
    default:
      return {maker.prior, 1};
  }
}

/// The only number of a maker other than its weights and the Knightian's.
inline double parameter_of(const MakerModel& maker) {
  switch (maker.kind) {
    case MakerKind::kUtility:
      return maker.wealth;
    case MakerKind::kQuadratic:
      return maker.curvature;
    case MakerKind::kPolytope:
      return maker.risk_aversion;
    default:
      return 0.0;
  }
}

/// The same maker, with its numbers read from elsewhere.
inline void set_weights(MakerModel& maker, const double* first) {
  maker.prior = maker.delta = maker.vertices = first;
}

}  // namespace kpm
