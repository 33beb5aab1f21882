// The paper's enumeration (28): every cell that state prices reach, best first kept.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "numerics/stop_token.hpp"
#include "search/candidate.hpp"
#include "search/enumeration/cell_grid.hpp"

namespace kpm {

struct SearchSettings {
  double tolerance = 1e-9;  ///< scaled money
  double tie = 1e-10;       ///< scaled money: cells this close to the best are candidates
  int threads = 1;          ///< 0: all processors that no other search works on
  double thread_delay = 0;  ///< seconds of work that one thread does alone
  bool prune_bound = true;
  StopToken* token = nullptr;  ///< asked between cells and within them
  /// Called now and then by the calling thread; may stop the token.
  std::function<void(const Progress&)> report;
};

struct SearchResult {
  Status status = Status::kOptimal;   ///< or interrupted by the token
  std::vector<Candidate> candidates;  ///< ordered by cell
  double value = -kInfinity;
  double upper_bound = kInfinity;
  Progress progress;
  std::int64_t iterations = 0;
  int threads = 1;
};

/// Walk the cells claim by claim. A prefix is dropped with all its cells when no state prices reach
/// its price ranges, or when a Lagrangian bound lies below the best cell: for the multipliers of an
/// earlier solution the dual bound (docs/theory.md) is a sum over claims, so it costs one addition
/// per node. The prefixes are divided into fixed tasks, processed in fixed rounds; a task sees of
/// the others only the results of earlier rounds, so counts and result do not depend on the number
/// of threads.
SearchResult search_cells(const CellGrid& grid, const SearchSettings& settings);

}  // namespace kpm
