// The paper's enumeration (28): every cell that state prices reach, best first kept.
#pragma once

#include "search/enumeration/cell_grid.hpp"
#include "search/search.hpp"

namespace kpm {

/// The tolerance is scaled money.
struct EnumerationSettings : SearchSettings {
  double tie = 1e-10;  ///< scaled money: cells this close to the best are candidates
  bool prune_bound = true;
};

/// Walk the cells claim by claim. A prefix is dropped with all its cells when no state prices reach
/// its price ranges, or when a Lagrangian bound lies below the best cell: for the multipliers of an
/// earlier solution the dual bound (docs/theory.md) is a sum over claims, so it costs one addition
/// per node. The prefixes are divided into fixed tasks, processed in fixed rounds; a task sees of
/// the others only the results of earlier rounds, so counts and result do not depend on the number
/// of threads.
SearchResult search_cells(const CellGrid& grid, const EnumerationSettings& settings);

}  // namespace kpm
