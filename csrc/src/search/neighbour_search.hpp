// From a clearing to better ones that differ in one claim.
#pragma once

#include <vector>

#include "book/corners.hpp"
#include "numerics/checkpoint.hpp"
#include "prices/price_simplex.hpp"
#include "prices/range_check.hpp"
#include "search/candidate.hpp"
#include "search/local_search.hpp"

namespace kpm {

/// A climb moves claims whose own trade gains. What it misses is what the others gain, whose prices
/// have more room once a claim has left its piece: the multipliers of prices say how much at most.
/// Of the neighbours that promise most under them a few are solved; the first better one takes the
/// clearing's place, and so on. Each costs a cell, and each piece in question a few pivots.
///
/// Where claims are disjoint nothing takes back what a claim's demand adds to the risk. What a move
/// promises is then less what the risk's curvature costs, so nearly right that many claims can be
/// moved at once.
class NeighbourSearch {
 public:
  /// `cells` solves them, and has no optimum afterwards.
  NeighbourSearch(const ScaledMarket& market, const std::vector<Corners>& corners, Arena& arena,
                  Checkpoint& checkpoint, LocalSearch& cells);

  /// The best value. All that is solved on the way is appended to `found`.
  double run(const Candidate& from, std::vector<Candidate>& found);

 private:
  void find_moves(const Candidate& from);
  bool try_together(const Candidate& from, std::vector<Candidate>& found);
  bool try_moves(const Candidate& from, std::vector<Candidate>& found);

  const ScaledMarket& market_;
  const std::vector<Corners>& corners_;
  LocalSearch& cells_;
  RangeCheck<PriceSimplex> ranges_;
  std::vector<CellMove> moves_;
  std::vector<CellMove> together_;  // the best of each claim, where they are known so well
};

}  // namespace kpm
