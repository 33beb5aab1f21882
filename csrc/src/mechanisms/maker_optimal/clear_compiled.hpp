// Clearing a book whose staircases are at hand.
#pragma once

#include <vector>

#include "book/staircase.hpp"
#include "kpm/kpm.hpp"

namespace kpm {

/// What kpm::clear does once the book is compiled; nothing is validated here.
Clearing clear_compiled(const Market& market, const Orders& orders, std::vector<Staircase> stairs,
                        const ClearSettings& settings);

}  // namespace kpm
