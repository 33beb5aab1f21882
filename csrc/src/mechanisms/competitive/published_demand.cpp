#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "mechanisms/competitive/published.hpp"
#include "numerics/linear_equations.hpp"
#include "numerics/tolerances.hpp"
#include "selection/active_sets.hpp"
#include "selection/open_steps.hpp"

namespace kpm {

namespace {

constexpr double kRounded = 1e-14;  // share of a step: its end was missed by rounding alone

/// The step on which a claim's demand may lie at these prices: its own or, from the rung that it is
/// on, the one whose limit is its price. -1: none.
int step_of(const Auction& auction, const AuctionPoint& point, int k) {
  const int piece = point.piece[static_cast<std::size_t>(k)];
  if (Staircase::is_step(piece)) {
    return piece;
  }
  const Figures& limit = auction.ladder(k).limit;
  const auto l = static_cast<std::size_t>(piece / 2);
  const double price = auction.market.payoffs.row(k).dot(point.g.matrix());
  if (l < limit.size() && std::abs(price - limit[l]) <= kOffPiece) {
    return piece + 1;
  }
  return l > 0 && std::abs(price - limit[l - 1]) <= kOffPiece ? piece - 1 : -1;
}

/// What a share of each open claim adds to each function whose tie decides C: states or vertices.
struct Rows {
  Matrix held;  // must change equally
  Matrix idle;  // must not begin to count
  Array room;   // (idle) how far they are from it
};

/// Which functions' changes decide whether directions are open.
Rows rows_of(const Auction& auction, const std::vector<int>& tied, const MakerFunction& function,
             const AuctionPoint& point, const Matrix& payoffs) {
  const Eigen::Index n = auction.market.states();
  const Array loss = auction.losses(point.demand);
  const ScaledMaker& maker = auction.maker;
  Rows rows;
  std::vector<int> held;
  std::vector<int> idle;
  std::vector<char> ties(static_cast<std::size_t>(std::max(n, maker.priors.rows())), 0);
  for (const int one : tied) {
    ties[static_cast<std::size_t>(one)] = 1;
  }
  if (maker.kind == MakerKind::kPolytope && maker.risk_aversion == 0.0) {
    const Array cost = (maker.priors * loss.matrix()).array();
    for (int v = 0; v < static_cast<int>(cost.size()); ++v) {
      (ties[static_cast<std::size_t>(v)] != 0 ? held : idle).push_back(v);
    }
    rows.held = maker.priors(held, Eigen::all) * payoffs.transpose();
    rows.idle = maker.priors(idle, Eigen::all) * payoffs.transpose();
    rows.room = cost.maxCoeff() - cost(idle);
    return rows;
  }
  const bool kink = maker.kind != MakerKind::kPolytope && !tied.empty();
  for (int i = 0; i < static_cast<int>(n); ++i) {
    const bool counts =
        kink ? ties[static_cast<std::size_t>(i)] != 0 : point.g[i] > kPinningStatePrice;
    (counts ? held : idle).push_back(i);
  }
  rows.held = payoffs.transpose()(held, Eigen::all);
  rows.idle = payoffs.transpose()(idle, Eigen::all);
  // At a kink a state's loss may rise to the worst.
  rows.room = kink ? Array((loss.maxCoeff() - loss(idle)).max(0.0))
                   : function.idle_room({loss, point.cost, point.g, point.p}, idle);
  return rows;
}

/// Demand that is at the end of its step but for rounding goes there.
void move_to_ends(const std::vector<OpenStep>& open, double near, AuctionPoint& point) {
  for (const OpenStep& step : open) {
    double& demand = point.demand[step.claim];
    const double slack = near * (step.high - step.low);
    int& piece = point.piece[static_cast<std::size_t>(step.claim)];
    if (demand >= step.high - slack) {
      demand = step.high;
      --piece;
    } else if (demand <= step.low + slack) {
      demand = step.low;
      ++piece;
    }
  }
}

/// Moves the face's start to where the losses of all states have risen most, `best`, and leaves the
/// directions along which they no longer do; false if there are none.
bool raise_payout(const Auction& auction, const Vector& shift, FaceProblem& face, Array& best) {
  if (shift.norm() <= kDirectionRounding) {
    return true;
  }
  face.rise = shift;
  best = project_on_face(face, &auction.checkpoint);
  face.rise.resize(0);
  if (shift.size() == 1) {
    return false;
  }
  // What is left of the room by then, in the least-squares coordinates of the move.
  const Vector moved = least_norm_solution(face.directions, (best - face.start).matrix());
  face.room = (face.room - (face.limits * moved).array()).max(0.0);
  face.start = best;
  const Matrix level = kernel(shift.transpose(), 0.0);
  face.directions = face.directions * level;
  face.limits = face.limits * level;
  return true;
}

}  // namespace

void choose_demand(const Auction& auction, const std::vector<Staircase>& stairs,
                   const std::vector<int>& tied, FaceRule rule, MakerFunction& function, double tie,
                   AuctionPoint& point) {
  const ScaledMarket& market = auction.market;
  std::vector<OpenStep> open;
  for (int k = 0; k < market.claims(); ++k) {
    const int piece = step_of(auction, point, k);
    if (piece < 0) {
      continue;
    }
    point.piece[static_cast<std::size_t>(k)] = piece;
    const auto l = static_cast<std::size_t>(piece / 2);
    const Staircase& claim =
        stairs[static_cast<std::size_t>(market.original[static_cast<std::size_t>(k)])];
    const double bids = market.demand(k, claim.buy[l]);
    open.push_back({k, auction.ladder(k).demand[l + 1], auction.ladder(k).demand[l], bids,
                    market.demand(k, claim.sell[l]), market.demand(k, claim.demand[l + 1]) + bids});
  }
  if (open.empty()) {
    return;
  }
  const auto m = static_cast<Eigen::Index>(open.size());
  Matrix payoffs(m, market.states());
  for (Eigen::Index k = 0; k < m; ++k) {
    payoffs.row(k) = market.payoffs.row(open[static_cast<std::size_t>(k)].claim);
  }
  const Rows rows = rows_of(auction, tied, function, point, payoffs);
  // The kernel of "all held rows change by the same shift".
  Eigen::MatrixXd conditions(rows.held.rows(), m + 1);
  conditions.leftCols(m) = rows.held;
  conditions.col(m).setConstant(-1.0);
  auction.pass();
  Matrix directions = kernel(conditions, kDependentDirection);
  if (directions.cols() == 0) {
    move_to_ends(open, kRounded, point);
    return;
  }
  // At the end of its step, rounding in what does not move would block every direction.
  directions = (directions.array().abs() > kDirectionRounding).select(directions, 0.0);

  Matrix limits = rows.idle * directions.topRows(m);
  limits.rowwise() -= directions.row(m);
  FaceProblem face = face_of(open, point.demand, directions, std::move(limits), rows.room);
  Array best = face.start;
  bool open_yet = true;
  if (rule == FaceRule::kGreatestPayout) {
    open_yet = raise_payout(auction, directions.row(m).transpose(), face, best);
  }
  if (open_yet) {
    best = minimise_by_active_sets(face, project_on_face(face, &auction.checkpoint),
                                   &auction.checkpoint);
  }

  const auto worth = [&](const Array& demand) {
    double sum = -function.evaluate(auction.losses(demand));
    for (const OpenStep& step : open) {
      sum += auction.value(step.claim, demand[step.claim]);
    }
    return sum;
  };
  const double least = worth(point.demand) - tie;
  approach(open, best, worth, least, point.demand);
  AuctionPoint at_ends = point;
  move_to_ends(open, kPublishedStepEnd, at_ends);
  if (worth(at_ends.demand) >= least) {
    point = std::move(at_ends);
  } else {
    move_to_ends(open, kRounded, point);
  }
}

}  // namespace kpm
