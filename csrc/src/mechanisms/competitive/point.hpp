// Where an auction stands: the rung or step of every claim, state prices, and what they prove.
#pragma once

#include <vector>

#include "mechanisms/competitive/ladder.hpp"
#include "numerics/checkpoint.hpp"
#include "risk/maker_kinds.hpp"

namespace kpm {

/// A point of the auction in scaled units. `piece` numbers pieces as staircases do: 2l is rung l,
/// 2l + 1 the step at limit l between rungs l + 1 and l.
struct AuctionPoint {
  std::vector<int> piece;         ///< (claims)
  Array demand;                   ///< (claims)
  Array g, p;                     ///< (states) state prices, and the prior they are tilted from
  bool settled = true;            ///< whether the demand alone gives the prices their last digits
  bool unique = true;             ///< whether no other state prices support the demand
  double cost = kInfinity;        ///< C at the demand
  double objective = -kInfinity;  ///< sum of values less C
  double bound = kInfinity;       ///< the dual at g

  double gap() const { return bound - objective; }
};

/// The auction as plain data, shared by all that work on its points.
struct Auction {
  const ScaledMarket& market;
  const ScaledMaker& maker;
  const std::vector<Ladder>& ladders;
  Checkpoint& checkpoint;  ///< asked before each step of every method

  /// Before a step whose dearest part is a system of the claims. Throws `Abandoned` if the
  /// clearing is stopped.
  void pass() const {
    constexpr double kLeast = 2e4;  // of a small book: roots, divisions and what surrounds them
    const auto claims = static_cast<double>(market.claims());
    checkpoint.pass(kLeast + claims * claims * (claims + market.states()));
  }

  Array losses(const ArrayView& demand) const {
    return (market.payoffs.transpose() * demand.matrix()).array() - market.inventory;
  }
  const Ladder& ladder(int k) const { return ladders[static_cast<std::size_t>(k)]; }
  /// What the traders bid for a demand of one claim.
  double value(int k, double demand) const;
  /// Pieces for demands: a step where demand lies inside it by a greater share than the price is
  /// off its limit.
  void find_pieces(const ArrayView& price, AuctionPoint& point) const;
  /// Cost, objective and bound, in plain arithmetic. Leaves the function at the point's demand.
  void judge(MakerFunction& function, AuctionPoint& point) const;
};

/// By how much the price of a claim misses the range of its piece, of the payoff range, and the
/// most that any claim's does.
double missed_by(const Auction& auction, const AuctionPoint& point, int k);
double missed_by(const Auction& auction, const AuctionPoint& point);

}  // namespace kpm
