#include "mechanisms/competitive/polish.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "mechanisms/competitive/climb.hpp"
#include "mechanisms/competitive/flat_steps.hpp"
#include "mechanisms/competitive/kink_step.hpp"
#include "mechanisms/competitive/level_losses.hpp"
#include "mechanisms/competitive/meet_limits.hpp"
#include "mechanisms/competitive/tied_functions.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

constexpr int kRounds = 60;
constexpr double kNear = 1e-6;       // prices off by more are not found yet, whatever the steps
constexpr double kLimitSeen = 1e-9;  // prices off by less are on a limit
constexpr double kLastGap = 1e-12;   // scaled money: a gap this small needs no more work
constexpr double kProven = 1e-9;     // scaled money: prices on their limits may cost this proof
constexpr double kWeight = 1e-12;    // a weight this far below zero is negative
constexpr double kCost = 1e-15;      // costs that differ by no more are alike
constexpr double kSolved = 2e-16;    // of prices and costs, scaled: what no step improves
constexpr double kFar = 1e30;        // times a price that is missed: beyond every step
constexpr double kStill = 1e-15;     // a change of demand and weights that is none
constexpr int kPatience = 12;        // rounds until what changes still is rounding
constexpr double kOfSums = 1e-13;    // of the losses: a gap may differ by so much in its sums alone
constexpr int kSets = 24;            // changes of what ties and of what trades in full

bool on_step(int piece) { return piece % 2 == 1; }

class Polisher {
 public:
  Polisher(const Auction& auction, AuctionProgram& program, MakerFunction& function)
      : auction_(auction), program_(program), function_(function) {}

  AuctionPoint smooth(AuctionPoint point);
  AuctionPoint off_limits(AuctionPoint point, AuctionPoint best);
  AuctionPoint kink(AuctionPoint point, std::vector<int>& tied);
  /// From now on no step of the kink's goes beyond the first end of a claim's step.
  void stop_at_ends() { stops_ = true; }

 private:
  std::vector<int> steps(const AuctionPoint& point) const;
  double limit(const AuctionPoint& point, int k) const {
    return auction_.ladder(k).limit[at(point.piece[static_cast<std::size_t>(k)] / 2)];
  }
  static std::size_t at(int index) { return static_cast<std::size_t>(index); }
  bool leave_steps(AuctionPoint& point, const std::vector<int>& open) const;
  bool leave_rungs(AuctionPoint& point) const;
  AuctionPoint on_kink(AuctionPoint point, const std::vector<int>& tied, Vector& weight);
  double move(const std::vector<int>& open, const Vector& way, double length,
              AuctionPoint& point) const;
  int cheapest(const Vector& weight) const;
  int above_kink(const AuctionPoint& point, const std::vector<int>& tied) const;

  const Auction& auction_;
  AuctionProgram& program_;
  MakerFunction& function_;
  bool stops_ = false;
  Vector uneven_;  // by how much less than the others each function costs, after all steps
};

std::vector<int> Polisher::steps(const AuctionPoint& point) const {
  std::vector<int> open;
  for (int k = 0; k < auction_.market.claims(); ++k) {
    if (on_step(point.piece[at(k)])) {
      open.push_back(k);
    }
  }
  return open;
}

/// Demand beyond the ends of its step goes to the rung there.
bool Polisher::leave_steps(AuctionPoint& point, const std::vector<int>& open) const {
  bool left = false;
  for (const int k : open) {
    const Ladder& ladder = auction_.ladder(k);
    int& piece = point.piece[at(k)];
    const double high = ladder.demand[at(piece / 2)];
    const double low = ladder.demand[at(piece / 2 + 1)];
    if (point.demand[k] >= high || point.demand[k] <= low) {
      piece += point.demand[k] >= high ? -1 : 1;
      point.demand[k] = ladder.demand[at(piece / 2)];
      left = true;
    }
  }
  return left;
}

/// A price beyond its rung's range moves its claim to the step there.
bool Polisher::leave_rungs(AuctionPoint& point) const {
  bool left = false;
  for (int k = 0; k < auction_.market.claims(); ++k) {
    int& piece = point.piece[at(k)];
    if (on_step(piece)) {
      continue;
    }
    const Ladder& ladder = auction_.ladder(k);
    const auto l = at(piece / 2);
    const double price = auction_.market.payoffs.row(k).dot(point.g.matrix());
    if (l < ladder.limit.size() && price > ladder.limit[l] + kOffPiece) {
      ++piece;
      left = true;
    } else if (l > 0 && price < ladder.limit[l - 1] - kOffPiece) {
      --piece;
      left = true;
    }
  }
  return left;
}

/// Along a way of demand for so far, or to the first end of a step if it stops there. Returns the
/// share of the length.
double Polisher::move(const std::vector<int>& open, const Vector& way, double length,
                      AuctionPoint& point) const {
  double share = 1.0;
  int first = -1;
  double end = 0.0;
  for (std::size_t j = 0; stops_ && j < open.size(); ++j) {
    const double change = length * way[static_cast<Eigen::Index>(j)];
    const auto l = at(point.piece[at(open[j])] / 2);
    const double there = auction_.ladder(open[j]).demand[change > 0.0 ? l : l + 1];
    const double until = (there - point.demand[open[j]]) / change;
    if (until < share) {
      share = std::max(until, 0.0);
      first = open[j];
      end = there;
    }
  }
  for (std::size_t j = 0; j < open.size(); ++j) {
    point.demand[open[j]] += share * length * way[static_cast<Eigen::Index>(j)];
  }
  if (first >= 0) {
    point.demand[first] = end;
  }
  return share;
}

/// Where no step has made all that tie cost the same, weights move to those that cost more: the one
/// whose weight is gone first. -1 where costs agree.
int Polisher::cheapest(const Vector& weight) const {
  int found = -1;
  double most = 0.0;
  for (Eigen::Index v = 0; stops_ && v < uneven_.size(); ++v) {
    const double share = uneven_[v] / std::max(weight[v], kWeight);
    if (uneven_[v] > kOffPiece && share > most) {
      most = share;
      found = static_cast<int>(v);
    }
  }
  return found;
}

AuctionPoint Polisher::smooth(AuctionPoint point) {
  const MatrixSlice& curvature = program_.curvature();
  Arena arena;
  SemidefiniteCholesky factor(auction_.market.claims(), arena);
  double best = kInfinity;
  AuctionPoint kept = point;
  std::vector<int> open = steps(point);
  bool fresh = true;
  Matrix system;
  Vector change;
  for (int round = 0; round < kRounds; ++round) {
    auction_.pass();
    function_.evaluate(auction_.losses(point.demand));
    point.g = function_.g();
    point.p = function_.worst_case();
    const auto m = static_cast<Eigen::Index>(open.size());
    change.resize(m);
    double residual = 0.0;
    for (Eigen::Index j = 0; j < m; ++j) {
      const int k = open[static_cast<std::size_t>(j)];
      change[j] = limit(point, k) - auction_.market.payoffs.row(k).dot(point.g.matrix());
      residual = std::max(residual, std::abs(change[j]));
    }
    if (fresh) {
      best = kInfinity;
      fresh = false;
      system.resize(m, m);
      for (Eigen::Index j = 0; j < m; ++j) {
        for (Eigen::Index l = 0; l <= j; ++l) {
          system(j, l) =
              curvature(open[static_cast<std::size_t>(j)], open[static_cast<std::size_t>(l)]);
        }
      }
      factor.compute(system);
    }
    const bool better = residual < best;
    if (better) {
      best = residual;
      kept = point;
    }
    if (!better || residual <= kPricesAgree) {
      // As near as rounding lets it come: limits that are met say more of the other prices, unless
      // these are those of another demand.
      point = kept;
      if (best <= kNear) {
        meet_limits(auction_, false, point);
      }
      if (!leave_rungs(point)) {
        return point;
      }
      open = steps(point);
      fresh = true;
      continue;
    }
    factor.solve_in_place(change);
    for (Eigen::Index j = 0; j < m; ++j) {
      point.demand[open[static_cast<std::size_t>(j)]] += change[j];
    }
    if (leave_steps(point, open)) {
      open = steps(point);
      fresh = true;
    }
  }
  if (best <= kNear) {
    meet_limits(auction_, false, kept);
  }
  return kept;
}

/// From a point as the program found it: claims leave their steps until prices meet their limits.
/// Returns the best point on the way, at first `best`.
AuctionPoint Polisher::off_limits(AuctionPoint point, AuctionPoint best) {
  double least = missed_by(auction_, best);
  const auto keep = [&](const AuctionPoint& found) {
    const double missed = missed_by(auction_, found);
    if (missed < least) {
      least = missed;
      best = found;
    }
    return least <= kOffPiece;
  };
  for (int set = 0; set < kSets && least > kOffPiece; ++set) {
    if (!climb_flat_steps(auction_, function_, point) || keep(smooth(point))) {
      break;
    }
    // Newton's method goes astray where prices swing: led uphill, on the steps that are left.
    point = climb(auction_, function_, point, false);
    meet_limits(auction_, false, point);
    if (keep(point) || !leave_rungs(point)) {
      break;
    }
  }
  return best;
}

/// The vertex outside `tied` that costs more than those inside; -1 if there is none.
int Polisher::above_kink(const AuctionPoint& point, const std::vector<int>& tied) const {
  const ScaledMaker& maker = auction_.maker;
  const Array loss = auction_.losses(point.demand);
  Array gradient(loss.size());
  double level = -kInfinity;
  double most = -kInfinity;
  int above = -1;
  for (int v = 0; v < static_cast<int>(maker.priors.rows()); ++v) {
    const double cost = certainty_equivalent(maker, v, maker.risk_aversion, loss, gradient.data());
    if (std::find(tied.begin(), tied.end(), v) != tied.end()) {
      level = std::max(level, cost);
    } else if (cost > most) {
      most = cost;
      above = v;
    }
  }
  return most > level + kCost * (1.0 + std::abs(level)) ? above : -1;
}

/// Which functions tie, and which claims are on their rungs, is known for sure at the solution
/// only: a vertex whose weight turns negative does not tie, one that costs more does, and a price
/// outside its rung's range belongs to a step.
AuctionPoint Polisher::kink(AuctionPoint point, std::vector<int>& tied) {
  Vector weight;
  if (auction_.maker.kind != MakerKind::kPolytope) {
    return on_kink(std::move(point), tied, weight);
  }
  const std::vector<int> seen = tied;
  AuctionPoint found = on_kink(point, tied, weight);
  AuctionPoint as_seen = found;
  for (int change = 0; change < kSets; ++change) {
    Eigen::Index least = 0;
    const int leaves =
        weight.minCoeff(&least) < -kWeight ? static_cast<int>(least) : cheapest(weight);
    if (leaves >= 0) {
      tied.erase(tied.begin() + leaves);
      if (tied.empty()) {
        break;  // rounding has left none: what ties stays as it was seen
      }
      if (tied.size() < 2 && auction_.maker.risk_aversion > 0.0) {
        tied.clear();
        point.unique = true;
        return smooth(std::move(point));
      }
    } else if (const int above = above_kink(found, tied); above >= 0) {
      tied.push_back(above);
    } else if (leave_rungs(found)) {
      point = found;
    } else {
      return found;
    }
    found = on_kink(point, tied, weight);
  }
  tied = seen;
  return as_seen;
}

AuctionPoint Polisher::on_kink(AuctionPoint point, const std::vector<int>& tied, Vector& weight) {
  const ScaledMarket& market = auction_.market;
  const ScaledMaker& maker = auction_.maker;
  const bool vertices = maker.kind == MakerKind::kPolytope;
  const double a = vertices ? maker.risk_aversion : 0.0;
  // What prices ask of demand and what it changes of them are far apart where a is large: demand in
  // the unit of money that makes them alike.
  const double unit = a > 1.0 ? 1.0 / a : 1.0;
  const auto c = static_cast<Eigen::Index>(tied.size());
  const Eigen::Index n = market.states();
  TiedFunctions functions(maker, tied, n);
  weight.resize(c);
  for (Eigen::Index v = 0; v < c; ++v) {
    const int which = tied[static_cast<std::size_t>(v)];
    weight[v] = vertices ? program_.weights()[which] : point.g[which];
  }
  weight /= weight.sum();
  KinkResidual residual;
  residual.mixed = maker.kind != MakerKind::kKnightian;
  double level = 0.0;
  for (int round = 0; round < kRounds; ++round) {
    const std::vector<int> open = steps(point);
    const auto m = static_cast<Eigen::Index>(open.size());
    auction_.pass();
    const auto claims = static_cast<double>(m);
    auction_.checkpoint.pass(functions.operations(claims) +
                             operations_of_kink_step(claims, static_cast<double>(c), a > 0.0));
    functions.evaluate(auction_.losses(point.demand));
    if (round == 0) {
      level = functions.cost().maxCoeff();
    }
    const Vector g = functions.mix(weight).matrix();
    Matrix payoffs(m, n);
    residual.missing.resize(m);
    for (Eigen::Index j = 0; j < m; ++j) {
      const int k = open[static_cast<std::size_t>(j)];
      payoffs.row(j) = market.payoffs.row(k);
      residual.missing[j] = limit(point, k) - payoffs.row(j).dot(g);
    }
    residual.values = functions.value(payoffs);
    residual.unmixed = 1.0 - weight.sum();
    residual.apart = ((level - functions.cost().array()) / unit).matrix();
    if (round > 0 && residual.largest() <= kSolved) {
      break;
    }
    if (a > 0.0) {
      residual.curvature = unit * functions.curvature(payoffs, residual.values, weight);
    }
    const KinkStep change = kink_step(residual);
    const double share = move(open, change.demand, unit, point);
    if (residual.mixed) {
      weight += share * change.weight;
    }
    level += share * unit * change.level;
    bool left = leave_steps(point, open);
    if (!left && (change.largest() <= kStill || round > kPatience)) {
      // Limits that no step meets ask for what costs nothing, and so for the end of a step.
      left = stops_ && m > 0 && residual.missing.cwiseAbs().maxCoeff() > kOffPiece &&
             move(open, residual.missing, kFar, point) < 1.0 && leave_steps(point, open);
      if (!left) {
        break;
      }
    }
  }
  uneven_ = unit * residual.apart;
  if (residual.mixed && weight.minCoeff() >= -kWeight) {
    functions.evaluate(auction_.losses(point.demand));  // where the demand came to lie
    weight = weight.cwiseMax(0.0).eval();
    weight /= weight.sum();
    point.g = functions.mix(weight);
    point.g /= point.g.sum();
    point.p = point.g;
    if (vertices) {
      const Array cost = functions.cost().array();
      Array mixed = weight.array() * (-a * (cost - cost.maxCoeff())).exp();
      mixed /= mixed.sum();
      point.p = (maker.priors(tied, Eigen::all).transpose() * mixed.matrix()).array();
      point.p /= point.p.sum();
    }
  }
  point.unique = false;
  return point;
}

}  // namespace

AuctionPoint polish(const Auction& auction, AuctionProgram& program, MakerFunction& function,
                    std::vector<int>& tied) {
  AuctionPoint found;
  found.demand = program.demand();
  found.g = program.g();
  found.p = program.worst_case();
  const bool believes =
      auction.maker.kind == MakerKind::kKnightian || auction.maker.kind == MakerKind::kPolytope;
  const bool prices_alone = !believes || auction.market.kind == Ambiguity::kSimplex;
  if (prices_alone) {
    found.p = found.g;
  }
  found.unique = tied.empty();
  auction.find_pieces((auction.market.payoffs * found.g.matrix()).array(), found);
  AuctionPoint rough = found;
  auction.judge(function, rough);

  Polisher polisher(auction, program, function);
  const std::vector<int> seen = tied;
  AuctionPoint polished = tied.empty() ? polisher.smooth(found) : polisher.kink(found, tied);
  auction.judge(function, polished);
  if (tied.empty() && missed_by(auction, polished) > kOffPiece &&
      missed_by(auction, rough) < kNear) {
    polished = polisher.off_limits(found, polished);
    auction.judge(function, polished);
  }
  // The coarser point is not kept for the rounding of the sums.
  const double rounding = kOfSums * (1.0 + program.magnitude());
  const bool sound = std::abs(polished.gap()) <= std::abs(rough.gap()) + rounding;
  AuctionPoint chosen = sound ? polished : rough;
  if (!seen.empty() && auction.maker.kind != MakerKind::kKnightian &&
      !(sound && missed_by(auction, chosen) <= kOffPiece) && missed_by(auction, rough) < kNear) {
    std::vector<int> ties = seen;
    polisher.stop_at_ends();
    AuctionPoint other = polisher.kink(found, ties);
    auction.judge(function, other);
    if (missed_by(auction, other) <= missed_by(auction, chosen) &&
        std::abs(other.gap()) <= std::abs(chosen.gap()) + rounding) {
      chosen = std::move(other);
      tied = std::move(ties);
    }
  }
  if (missed_by(auction, chosen) <= kOffPiece &&
      std::abs(chosen.gap()) <= kLastGap * (1.0 + program.magnitude())) {
    return chosen;
  }
  // A maker whose prices swing from nothing to one within the rounding of its losses. Demand cannot
  // carry all digits of its prices: those found beside it meet the limits by themselves.
  chosen.settled = rough.settled = found.settled = false;
  std::vector<AuctionPoint> others = {chosen, rough};
  if (tied.empty()) {
    others.push_back(climb(auction, function, found, true));
  }
  others.push_back(chosen);
  level_losses(auction, function, others.back());
  others.push_back(rough);
  level_losses(auction, function, others.back());
  if (!tied.empty() &&
      (auction.maker.kind != MakerKind::kPolytope || auction.maker.risk_aversion == 0.0)) {
    for (const AuctionPoint& prices : {polished, rough}) {
      for (const double near : {kLimitSeen, kNear}) {
        others.push_back(prices);
        others.back().demand = program.demand();
        level_functions(auction, tied, near, others.back());
      }
    }
  }
  for (AuctionPoint& other : others) {
    const bool follows = prices_alone && (other.p == other.g).all();
    meet_limits(auction, true, other);
    if (follows) {
      other.p = other.g;
    }
    auction.judge(function, other);
    const double missed = std::max(missed_by(auction, chosen), kOffPiece);
    const double misses = std::max(missed_by(auction, other), kOffPiece);
    if (misses < missed
            ? std::abs(other.gap()) <= std::max(std::abs(chosen.gap()) + rounding, kProven)
            : misses == missed && std::abs(other.gap()) < std::abs(chosen.gap())) {
      chosen = std::move(other);
    }
  }
  return chosen;
}

}  // namespace kpm
