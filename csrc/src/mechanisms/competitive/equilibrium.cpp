#include "mechanisms/competitive/equilibrium.hpp"

#include <memory>
#include <utility>

#include "mechanisms/competitive/solve_auction.hpp"
#include "numerics/tolerances.hpp"
#include "risk/risk_measure.hpp"

namespace kpm {

namespace {

constexpr int kMostIterations = 200;

}  // namespace

Candidate find_equilibrium(const ScaledMarket& market, const std::vector<Staircase>& stairs,
                           Checkpoint& checkpoint) {
  MakerModel model;
  model.states = market.states();
  model.prior = market.prior.data();
  const ScaledMaker maker(model, market);  // preferences are the scaled market's
  Arena arena;
  const std::unique_ptr<MakerFunction> cost = make_function(market, maker, arena);
  MakerFunction& function = *cost;
  const Idle idle = find_idle(market, function);
  const std::vector<Ladder> ladders = find_ladders(market, stairs, idle.prices, kInfinity);
  const Auction auction{market, maker, ladders, checkpoint};
  SolvedAuction solved =
      solve_auction(auction, stairs, idle, kMostIterations, FaceRule::kLeastRegret, function);
  AuctionPoint& point = solved.point;

  auto optimum = std::make_shared<CellOptimum>(market.states(), market.claims());
  const double risk = function.evaluate(auction.losses(point.demand));
  optimum->objective = (market.payoffs * point.g.matrix()).dot(point.demand.matrix()) - risk;
  optimum->bound = kInfinity;
  optimum->ambiguity_price = function.ambiguity_price();
  optimum->divergence = function.conjugate(point.g, point.p);
  optimum->multipliers.setZero();
  optimum->state_prices = point.g;
  optimum->marginal_state_prices = point.g;
  optimum->worst_case = point.p;
  optimum->demand = point.demand;
  Candidate candidate;
  candidate.value = optimum->objective;
  candidate.cell = std::move(point.piece);
  candidate.optimum = std::move(optimum);
  candidate.solved = false;
  return candidate;
}

}  // namespace kpm
