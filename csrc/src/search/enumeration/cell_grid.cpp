#include "search/enumeration/cell_grid.hpp"

#include <cstddef>

namespace kpm {

CellGrid::CellGrid(const ScaledMarket& scaled, const std::vector<Staircase>& stairs)
    : market(scaled), corners(find_corners(scaled, stairs)), below(corners.size() + 1, 1.0) {
  for (std::size_t k = corners.size(); k-- > 0;) {
    below[k] = below[k + 1] * corners[k].pieces();
  }
}

}  // namespace kpm
