// Clearing of a book whose staircases are already compiled.
#pragma once

#include <vector>

#include "book/staircase.hpp"
#include "kpm/kpm.hpp"

namespace kpm {

class WarmStart;

/// What kpm::clear does once the book is compiled; nothing is validated here. It starts from
/// `memory`, if there is one, where that leads to the same bits, and leaves there what it learns.
/// The staircases are as before once it returns, and lost if it throws.
Clearing clear_compiled(const Market& market, const Orders& orders, std::vector<Staircase>& stairs,
                        const ClearSettings& settings, WarmStart* memory);

}  // namespace kpm
