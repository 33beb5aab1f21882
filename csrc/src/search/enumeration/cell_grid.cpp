#include "search/enumeration/cell_grid.hpp"

namespace kpm {

CellGrid::CellGrid(const ScaledMarket& scaled, const std::vector<Staircase>& staircases)
    : market(scaled),
      stairs(staircases),
      pieces(static_cast<std::size_t>(scaled.claims())),
      below(static_cast<std::size_t>(scaled.claims()) + 1, 1.0) {
  for (int k = scaled.claims() - 1; k >= 0; --k) {
    const auto at = static_cast<std::size_t>(k);
    const Staircase& claim = stairs[static_cast<std::size_t>(scaled.original[at])];
    for (int j = 0; j < claim.pieces(); ++j) {
      const Piece piece = claim.piece(j);
      pieces[at].push_back({scaled.price(k, piece.price_low), scaled.price(k, piece.price_high),
                            scaled.demand(k, piece.demand_low),
                            scaled.demand(k, piece.demand_high)});
    }
    below[at] = below[at + 1] * claim.pieces();
  }
}

}  // namespace kpm
