#include "mechanisms/competitive/solve_auction.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "mechanisms/competitive/arrow_debreu.hpp"
#include "mechanisms/competitive/auction_program.hpp"
#include "mechanisms/competitive/polish.hpp"
#include "mechanisms/competitive/tied_functions.hpp"
#include "numerics/tolerances.hpp"
#include "selection/idle_choice.hpp"

namespace kpm {

namespace {

// Fast first; the others start afresh where it stalls.
constexpr Attempt kAttempts[] = {{0.01, 0.6}, {0.1, 0.2}, {1.0, 0.01}, {1.0, 0.5}, {10.0, 1e-4}};
constexpr double kGrowth = 1.5;         // steps from a poor start are short, and grow
constexpr double kSharp = 1e-11;        // scaled money: the accuracy that polishing starts from
constexpr double kEnough = 1e-10;       // ... where a new attempt is worth no more
constexpr double kOfResolution = 1e-4;  // ... of the money within which prices change
constexpr int kMostCloser = 10;         // iterations until prices have all digits there are
constexpr double kOpenTie = 1e-13;      // scaled money a choice of demand may cost

/// Polish what the program found, and choose of the optima what is published.
void publish_point(const Auction& auction, const std::vector<Staircase>& stairs,
                   AuctionProgram& program, MakerFunction& function, FaceRule face,
                   std::vector<int> tied, SolvedAuction& solved) {
  solved.tied = std::move(tied);
  AuctionPoint& point = solved.point;
  point = polish(auction, program, function, solved.tied);
  choose_demand(auction, stairs, solved.tied, face, function, kOpenTie, point);
  auction.judge(function, point);
  if (!point.unique || auction.maker.kind == MakerKind::kPolytope) {
    solved.chosen = choose_prices(auction, solved.tied, function, point);
  }
}

/// The same prices, and what the traders want of the claims whose prices are off their pieces.
AuctionPoint at_own_prices(const Auction& auction, AuctionPoint point, MakerFunction& function) {
  for (int k = 0; k < auction.market.claims(); ++k) {
    if (missed_by(auction, point, k) > kPriceTolerance) {
      const double price = auction.market.payoffs.row(k).dot(point.g.matrix());
      const int rung = auction.ladder(k).rung(price);
      point.piece[static_cast<std::size_t>(k)] = 2 * rung;
      point.demand[k] = auction.ladder(k).demand[static_cast<std::size_t>(rung)];
    }
  }
  auction.judge(function, point);
  return point;
}

/// The state prices of a program on its way, at its iterations 1, 2, 4, ... As long as prices are
/// not on their limits, the answer to later ones may be the worse one: the best of all answers is
/// never worse for more time.
class Trail {
 public:
  void add(std::int64_t iteration, const AuctionProgram& program) {
    if ((iteration & (iteration - 1)) == 0) {
      prices_.emplace_back();
      program.write_prices(prices_.back().g, prices_.back().p);
    }
  }

  /// The best answer to any of them, or the point before solving.
  AuctionPoint best(const Auction& auction, const std::vector<Staircase>& stairs, const Idle& idle,
                    MakerFunction& function) const {
    AuctionPoint point = point_before_solving(auction, stairs, idle, function);
    for (const Prices& prices : prices_) {
      AuctionPoint there = best_answer(auction, prices.g, prices.p, function);
      if (there.objective > point.objective) {
        point = std::move(there);
      }
    }
    return point;
  }

 private:
  struct Prices {
    Array g, p;
  };
  std::vector<Prices> prices_;
};

bool is_solved(const Auction& auction, const AuctionPoint& point) {
  return point.gap() <= kTie && missed_by(auction, point) <= kPriceTolerance;
}

/// Drive the program to its optimum, polish it, and choose what is published.
void find_optimum(const Auction& auction, const std::vector<Staircase>& stairs, int max_iterations,
                  FaceRule face, AuctionProgram& program, MakerFunction& function, Trail& trail,
                  SolvedAuction& solved) {
  const double rounding = kGapRounding * (1.0 + program.magnitude());
  const double tolerance = std::max(kSharp, rounding);
  const double sharper =
      std::max(std::min(kSharp, kOfResolution * function.resolution()), rounding);
  const auto pause = [&] {
    trail.add(++solved.iterations, program);
    auction.pass();
  };
  bool again = false;
  for (Attempt attempt : kAttempts) {
    attempt.growth = kGrowth;
    attempt.again = std::exchange(again, true);
    int iterations = 0;
    run_predictor_corrector(program, tolerance, attempt, max_iterations, iterations, pause);
    if (sharper < tolerance && program.gap() <= tolerance) {
      continue_predictor_corrector(program, sharper, attempt, max_iterations, iterations, pause);
    }
    if (program.gap() <= std::max(kEnough, 100.0 * rounding)) {
      break;
    }
  }
  publish_point(auction, stairs, program, function, face, tied_functions(auction, program, false),
                solved);
  if (!is_solved(auction, solved.point) && program.gap() > rounding) {
    // The limits of a large book are closer than the program came: as close as rounding lets it.
    SolvedAuction closer;
    int iterations = 0;
    continue_predictor_corrector(program, rounding, kAttempts[0], kMostCloser, iterations, pause);
    publish_point(auction, stairs, program, function, face, tied_functions(auction, program, false),
                  closer);
    if (is_solved(auction, closer.point)) {
      closer.iterations = solved.iterations;
      solved = std::move(closer);
    }
  }
  if (auction.market.kind != Ambiguity::kBall || auction.maker.kind != MakerKind::kKnightian) {
    return;
  }
  // Near a kink, and of a very averse maker everywhere, the ambiguity price is of the size of
  // rounding: the other side may be right.
  const bool smooth = solved.point.unique;
  const bool met = missed_by(auction, solved.point) <= kOffPiece;
  if (smooth ? !met || !solved.point.settled : !solved.chosen) {
    SolvedAuction other;
    other.iterations = solved.iterations;
    publish_point(auction, stairs, program, function, face,
                  smooth ? tied_functions(auction, program, true) : std::vector<int>(), other);
    if (other.chosen && missed_by(auction, other.point) <= kOffPiece &&
        other.point.gap() <= std::max(solved.point.gap(), smooth && met ? 0.0 : tolerance)) {
      solved = std::move(other);
    }
  }
}

/// Where the program found no optimum, or prices that are off their limits: the best of what state
/// prices make, those found and those without trade. Beside an inventory that dwarfs the book, the
/// latter are the solution.
AuctionPoint settle_for(const Auction& auction, const std::vector<Staircase>& stairs,
                        const Idle& idle, MakerFunction& function, AuctionPoint found) {
  AuctionPoint best = at_own_prices(auction, std::move(found), function);
  for (AuctionPoint& other :
       std::vector<AuctionPoint>{best_answer(auction, best.g, best.p, function),
                                 point_before_solving(auction, stairs, idle, function)}) {
    const double rounding = kGapRounding * std::abs(best.objective);
    const bool worse = !(other.objective >= best.objective - rounding);
    if (other.objective > best.objective + rounding ||
        (std::isfinite(other.gap()) && !std::isfinite(best.gap())) ||
        (!worse && other.gap() < best.gap() - kTie)) {
      best = std::move(other);
    }
  }
  return best;
}

}  // namespace

Idle find_idle(const ScaledMarket& market, MakerFunction& function) {
  Idle idle;
  idle.worth = -function.evaluate(-market.inventory);
  idle.g = function.g() / function.g().sum();
  idle.p = function.worst_case() / function.worst_case().sum();
  idle.prices = (market.payoffs * function.g().matrix()).array();
  return idle;
}

AuctionPoint best_answer(const Auction& auction, const ArrayView& g, const ArrayView& p,
                         MakerFunction& function) {
  AuctionPoint point;
  point.g = g;
  point.p = p;
  point.unique = point.settled = false;
  point.demand = Array::Zero(auction.market.claims());
  for (int k = 0; k < auction.market.claims(); ++k) {
    const int rung = auction.ladder(k).rung(auction.market.payoffs.row(k).dot(g.matrix()));
    point.piece.push_back(2 * rung);
    point.demand[k] = auction.ladder(k).demand[static_cast<std::size_t>(rung)];
  }
  auction.judge(function, point);
  return point;
}

AuctionPoint point_before_solving(const Auction& auction, const std::vector<Staircase>& stairs,
                                  const Idle& idle_maker, MakerFunction& function) {
  AuctionPoint point = best_answer(auction, idle_maker.g, idle_maker.p, function);
  if (point.objective < idle_maker.worth) {
    if (const std::optional<Choice> idle = choose_no_trade(auction.market, stairs)) {
      AuctionPoint other = point;
      other.piece = idle->cell;
      other.demand = idle->demand;
      other.g = idle->state_prices;
      auction.judge(function, other);
      // Of a state without a price some makers' bound is infinite.
      if (other.objective > point.objective && std::isfinite(other.bound)) {
        return other;
      }
    }
  }
  return point;
}

namespace {

/// By a scalar root, where claims and maker allow it.
bool solve_arrow_debreu(const Auction& auction, const std::vector<Staircase>& stairs,
                        const Idle& idle, FaceRule face, MakerFunction& function,
                        SolvedAuction& solved) {
  bool found = false;
  try {
    std::optional<AuctionPoint> root = find_arrow_debreu(auction, solved.iterations);
    if (!root) {
      return false;
    }
    solved.point = *std::move(root);
    found = true;
    choose_demand(auction, stairs, {}, face, function, kOpenTie, solved.point);
  } catch (const Abandoned&) {
    solved.stopped = true;
    if (!found) {  // a root is an optimum, though not the one that the rule would have chosen
      solved.point = point_before_solving(auction, stairs, idle, function);
    }
  }
  auction.judge(function, solved.point);
  return true;
}

}  // namespace

SolvedAuction solve_auction(const Auction& auction, const std::vector<Staircase>& stairs,
                            const Idle& idle, int max_iterations, FaceRule face,
                            MakerFunction& function) {
  SolvedAuction solved;
  if (solve_arrow_debreu(auction, stairs, idle, face, function, solved)) {
    return solved;
  }
  Arena arena;
  AuctionProgram program(auction.market, auction.maker, auction.ladders, arena);
  program.load(idle.prices);
  Trail trail;
  try {
    find_optimum(auction, stairs, max_iterations, face, program, function, trail, solved);
    if (!is_solved(auction, solved.point)) {
      solved.point = settle_for(auction, stairs, idle, function, std::move(solved.point));
    }
  } catch (const Abandoned&) {
    solved.point = trail.best(auction, stairs, idle, function);
    solved.stopped = true;
  }
  return solved;
}

}  // namespace kpm
