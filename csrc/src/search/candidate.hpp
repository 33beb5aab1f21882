// A cell that a search keeps, and what it is worth.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "book/staircase.hpp"
#include "cell/cell_optimum.hpp"
#include "kpm/kpm.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

/// This many clearings that do not tie with the best are kept as well: the best may turn out to
/// have no valid state prices.
constexpr std::size_t kReserve = 8;

struct Candidate {
  double value = -kInfinity;  ///< certainty equivalent, scaled
  std::vector<int> cell;
  std::shared_ptr<const CellOptimum> optimum;  ///< as the selection would solve it, if at hand
  bool solved = true;  ///< whether that is the cell's, and not just a point of it
};

/// The best; of equal ones the first.
inline std::vector<Candidate>::const_iterator best_of(const std::vector<Candidate>& candidates) {
  return std::max_element(candidates.begin(), candidates.end(),
                          [](const Candidate& a, const Candidate& b) { return a.value < b.value; });
}

/// Keep one with the next best, the best first.
inline void keep_in_reserve(Candidate&& candidate, std::vector<Candidate>& reserve) {
  const auto worse = [](const Candidate& a, const Candidate& b) { return a.value > b.value; };
  const auto place = std::upper_bound(reserve.begin(), reserve.end(), candidate, worse);
  if (place - reserve.begin() < static_cast<std::ptrdiff_t>(kReserve)) {
    reserve.insert(place, std::move(candidate));
    reserve.resize(std::min(reserve.size(), kReserve));
  }
}

/// In the order of cells, each once.
inline void sort_by_cell(std::vector<Candidate>& candidates) {
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.cell < b.cell; });
  const auto same = [](const Candidate& a, const Candidate& b) { return a.cell == b.cell; };
  candidates.erase(std::unique(candidates.begin(), candidates.end(), same), candidates.end());
}

/// Whether every demand of cell `a` is one of cell `b` too: the same pieces, but steps of `b` next
/// to flats of `a`.
inline bool part_of(const std::vector<int>& a, const std::vector<int>& b) {
  for (std::size_t k = 0; k < a.size(); ++k) {
    const bool beside = Staircase::is_step(b[k]) && std::abs(a[k] - b[k]) == 1;
    if (a[k] != b[k] && !beside) {
      return false;
    }
  }
  return a != b;
}

}  // namespace kpm
