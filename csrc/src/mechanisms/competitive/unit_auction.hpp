// An auction, solved in the unit of money that resolves what trades.
#pragma once

#include <memory>
#include <vector>

#include "kpm/auction.hpp"
#include "mechanisms/competitive/solve_auction.hpp"

namespace kpm {

/// The auction in one unit of money, with orders cut at `reach` units.
struct UnitAuction {
  UnitAuction(const ScaledMarket& scaled, const MakerModel& model,
              const std::vector<Staircase>& stairs, double reach);
  UnitAuction(const UnitAuction&) = delete;
  UnitAuction& operator=(const UnitAuction&) = delete;

  Auction plain(Checkpoint& checkpoint) const { return {market, maker, ladders, checkpoint}; }
  SolvedAuction solve(const std::vector<Staircase>& stairs, const AuctionSettings& settings,
                      Checkpoint& checkpoint);
  /// What solve() returns where it is stopped at once.
  SolvedAuction unsolved(const std::vector<Staircase>& stairs, Checkpoint& checkpoint);
  /// Whether neither the point nor the best answer to its prices touches where orders were cut.
  bool contains(const AuctionPoint& point) const;

  Arena arena;
  ScaledMarket market;
  ScaledMaker maker;
  std::unique_ptr<MakerFunction> function;
  double reach;
  Idle idle;
  std::vector<Ladder> ladders;

 private:
  SolvedAuction solve_for(const ScaledMaker& alike, const std::vector<Staircase>& stairs,
                          const AuctionSettings& settings, FaceRule face, Checkpoint& checkpoint);
};

/// The units in which an auction was solved, and its solution.
struct ResolvedAuction {
  std::unique_ptr<UnitAuction> in;
  SolvedAuction solved;
};

/// Orders that stand far from the prices must not set the unit of those that trade: where these are
/// lost in the book's notional, it is solved in smaller units, with larger orders cut, as long as
/// the solution there proves no less. `begin`: false if nothing is wanted but what needs no time.
ResolvedAuction resolve_auction(const ScaledMarket& whole, const MakerModel& model,
                                const std::vector<Staircase>& stairs,
                                const AuctionSettings& settings, bool begin,
                                Checkpoint& checkpoint);

}  // namespace kpm
