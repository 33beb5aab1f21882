// How many cells a box of the tree holds.
#pragma once

#include <cstddef>

#include "book/corners.hpp"

namespace kpm::test {

inline double cells_of(const Box& box) {
  double cells = 1.0;
  for (std::size_t k = 0; k < box.first.size(); ++k) {
    cells *= box.last[k] - box.first[k] + 1;
  }
  return cells;
}

}  // namespace kpm::test
