// The proof that is handed out: leaves of the tree in the caller's units.
#pragma once

#include <vector>

#include "kpm/kpm.hpp"
#include "model/presolve.hpp"
#include "model/staircase.hpp"
#include "search/node.hpp"

namespace kpm {

/// Claims that took no part in the search have all their pieces in every leaf and multiplier zero.
/// Bounds are computed anew from the caller's figures by the Donsker-Varadhan inequality, and
/// worst cases that rounding has put outside the KL ball are moved into it.
/// The presolve must not have merged claims.
Certificate certify(const Market& market, const Presolve& book,
                    const std::vector<Staircase>& stairs, const std::vector<Node>& leaves);

}  // namespace kpm
