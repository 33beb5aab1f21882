#include "mechanisms/competitive/climb.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "book/staircase.hpp"
#include "numerics/arena.hpp"
#include "numerics/semidefinite_cholesky.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

constexpr int kRounds = 200;
constexpr int kFruitless = 20;       // rounds without better prices: rounding
constexpr int kTrials = 40;          // of the length of a step
constexpr double kTurned = 0.25;     // a step ends where its slope is this share of the first
constexpr double kLeap = 16.0;       // the next trial's length over the last one's
constexpr double kRidge = 1e-10;     // relative: claims that depend on each other part ways
constexpr double kFlatness = 1e-12;  // ... and where one state has all of the price, this little

/// A claim whose demand may change, and between what ends.
struct Mover {
  int claim;
  int step;  // its piece
  bool on_rung;
  double limit, low, high;
};

class Climber {
 public:
  Climber(const Auction& auction, MakerFunction& function, bool rungs)
      : auction_(auction),
        function_(function),
        rungs_(rungs),
        factor_(static_cast<Eigen::Index>(auction.market.claims()), arena_) {}

  AuctionPoint climb(AuctionPoint point);

 private:
  void evaluate(AuctionPoint& point);
  void find_movers(const AuctionPoint& point);
  void find_direction();
  Vector missing() const;
  bool move(AuctionPoint& point);

  const Auction& auction_;
  MakerFunction& function_;
  bool rungs_;
  Arena arena_;
  SemidefiniteCholesky factor_;
  std::vector<Mover> movers_;
  Vector direction_;
};

void Climber::evaluate(AuctionPoint& point) {
  function_.evaluate(auction_.losses(point.demand));
  point.g = function_.g();
  point.p = function_.worst_case();
}

/// The claims on steps, and those whose price asks them to leave their rung if they may.
void Climber::find_movers(const AuctionPoint& point) {
  movers_.clear();
  for (int k = 0; k < auction_.market.claims(); ++k) {
    const Ladder& ladder = auction_.ladder(k);
    int step = point.piece[static_cast<std::size_t>(k)];
    const bool on_rung = !Staircase::is_step(step);
    if (on_rung && !rungs_) {
      continue;
    }
    if (on_rung) {
      const auto l = static_cast<std::size_t>(step / 2);
      const double price = auction_.market.payoffs.row(k).dot(point.g.matrix());
      if (l < ladder.limit.size() && price > ladder.limit[l] + kOffPiece) {
        ++step;
      } else if (l > 0 && price < ladder.limit[l - 1] - kOffPiece) {
        --step;
      } else {
        continue;
      }
    }
    const auto l = static_cast<std::size_t>(step / 2);
    movers_.push_back({k, step, on_rung, ladder.limit[l], ladder.demand[l + 1], ladder.demand[l]});
  }
}

/// By how much the movers' limits are above their prices: the gradient of what is maximised.
Vector Climber::missing() const {
  Vector missing(static_cast<Eigen::Index>(movers_.size()));
  for (std::size_t j = 0; j < movers_.size(); ++j) {
    missing[static_cast<Eigen::Index>(j)] =
        movers_[j].limit -
        auction_.market.payoffs.row(movers_[j].claim).dot(function_.g().matrix());
  }
  return missing;
}

/// Newton's, without the claims that it would move off the wrong side of their rung.
void Climber::find_direction() {
  const double flat = kFlatness / function_.resolution();
  function_.prepare_curvature();
  while (true) {
    auction_.pass();
    const auto m = static_cast<Eigen::Index>(movers_.size());
    Matrix roots(m, function_.root_size());
    for (Eigen::Index j = 0; j < m; ++j) {
      const int k = movers_[static_cast<std::size_t>(j)].claim;
      function_.root(&auction_.market.payoffs(k, 0), &roots(j, 0));
    }
    Matrix system = roots * roots.transpose();
    system.diagonal() += kRidge * system.diagonal() + Vector::Constant(m, flat);
    factor_.compute(system, 0.0);
    const Vector gradient = missing();
    direction_ = gradient;
    factor_.solve_in_place(direction_);
    const auto first = movers_.begin();
    const auto wrong = std::find_if(first, movers_.end(), [&](const Mover& mover) {
      const auto j = static_cast<Eigen::Index>(&mover - movers_.data());
      return mover.on_rung && !(direction_[j] * gradient[j] > 0.0);
    });
    if (wrong == movers_.end()) {
      return;
    }
    movers_.erase(wrong);
  }
}

/// Along the direction to where its slope has all but gone, or to the first end of a step. False
/// where that is nowhere.
bool Climber::move(AuctionPoint& point) {
  double end = kInfinity;
  std::size_t first = movers_.size();
  for (std::size_t j = 0; j < movers_.size(); ++j) {
    const Mover& mover = movers_[j];
    const double change = direction_[static_cast<Eigen::Index>(j)];
    const double room = (change > 0.0 ? mover.high : mover.low) - point.demand[mover.claim];
    if (change != 0.0 && room / change < end) {
      end = room / change;
      first = j;
    }
  }
  const auto go = [&](double length) {
    AuctionPoint there = point;
    for (std::size_t j = 0; j < movers_.size(); ++j) {
      const Mover& mover = movers_[j];
      double& demand = there.demand[mover.claim];
      demand = std::clamp(demand + length * direction_[static_cast<Eigen::Index>(j)], mover.low,
                          mover.high);
    }
    evaluate(there);
    return there;
  };
  const double initial_slope = missing().dot(direction_);
  if (!(initial_slope > 0.0) || first == movers_.size()) {
    return false;
  }
  double low = 0.0;
  double high = kInfinity;
  double length = std::min(1.0, end);
  AuctionPoint found = point;
  bool at_end = false;
  for (int trial = 0; trial < kTrials; ++trial) {
    found = go(length);
    const double slope = missing().dot(direction_);
    if (std::abs(slope) <= kTurned * initial_slope) {
      break;
    }
    (slope > 0.0 ? low : high) = length;
    at_end = slope > 0.0 && length == end;
    if (at_end) {
      break;
    }
    length = std::isinf(high) ? std::min(kLeap * low, end)
             : low == 0.0     ? high / kLeap
                              : std::sqrt(low * high);
    if (length == low || length == high) {
      break;
    }
  }
  for (std::size_t j = 0; j < movers_.size(); ++j) {
    const Mover& mover = movers_[j];
    int& piece = found.piece[static_cast<std::size_t>(mover.claim)];
    double& demand = found.demand[mover.claim];
    piece = mover.step;
    if ((at_end && j == first && direction_[static_cast<Eigen::Index>(j)] > 0.0) ||
        demand >= mover.high) {
      demand = mover.high;
      --piece;
    } else if ((at_end && j == first) || demand <= mover.low) {
      demand = mover.low;
      ++piece;
    }
  }
  const bool moved = (found.demand != point.demand).any();
  evaluate(found);
  point = found;
  return moved;
}

AuctionPoint Climber::climb(AuctionPoint point) {
  evaluate(point);
  AuctionPoint best = point;
  double least = missed_by(auction_, point);
  int fruitless = 0;
  for (int round = 0; round < kRounds && least > kPricesAgree && fruitless < kFruitless; ++round) {
    find_movers(point);
    if (movers_.empty()) {
      break;
    }
    find_direction();
    if (!move(point)) {
      break;
    }
    const double missed = missed_by(auction_, point);
    fruitless = missed < least ? 0 : fruitless + 1;
    if (missed < least) {
      least = missed;
      best = point;
    }
  }
  return best;
}

}  // namespace

AuctionPoint climb(const Auction& auction, MakerFunction& function, AuctionPoint point,
                   bool rungs) {
  return Climber(auction, function, rungs).climb(std::move(point));
}

}  // namespace kpm
