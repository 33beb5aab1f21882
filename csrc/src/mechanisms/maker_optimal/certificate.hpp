// The proof that is handed out: leaves of the tree in the caller's units.
#pragma once

#include <vector>

#include "book/presolve.hpp"
#include "book/staircase.hpp"
#include "kpm/kpm.hpp"
#include "search/tree/node.hpp"

namespace kpm {

/// Claims that took no part in the search have all their pieces in every leaf and multiplier zero.
/// Bounds are computed anew from the caller's figures by the Donsker-Varadhan inequality, and
/// worst cases that rounding has put outside the KL ball are moved into it.
/// The presolve must not have merged claims.
Certificate certify(const Market& market, const Presolve& book,
                    const std::vector<Staircase>& stairs, const std::vector<Node>& leaves);

}  // namespace kpm
