// The cells of fathomed nodes that may hold a clearing as good as the best.
#pragma once

#include <optional>
#include <vector>

#include "book/corners.hpp"
#include "book/scaled_market.hpp"
#include "search/tree/node.hpp"
#include "search/tree/tangent_bound.hpp"

namespace kpm {

/// A cell that may tie, and the node whose multipliers do not rule it out.
struct TiedCell {
  std::vector<int> cell;
  const Node* node;
};

/// A node's multipliers bound every one of its cells, claim by claim: a sum of what the better
/// corner of each piece is worth. Cells whose bound reaches the threshold are listed, in order; at
/// most `kMostTiedCells` of them, those with the most steps. A clearing at a corner that two pieces
/// share is listed once: in the piece both of whose corners are as good, else in the flat. Pieces
/// off the demand of the `best` clearing, null where nothing trades, that `tangent` bounds below
/// the threshold are left out beforehand; it is made in the arena where there are any.
std::vector<TiedCell> tied_cells(const ScaledMarket& market, const std::vector<const Node*>& nodes,
                                 const std::vector<Corners>& corners, const CellOptimum* best,
                                 double value, Arena& arena, std::optional<TangentBound>& tangent);

/// Whether a candidate is of a cell, or of a neighbour with its demand at the ends that the two
/// share: the selection reaches the cell from there.
bool stands_for(const Candidate& candidate, const std::vector<int>& cell,
                const std::vector<Corners>& corners);

constexpr std::size_t kMostTiedCells = 256;

}  // namespace kpm
