#include "mechanisms/competitive/solve_auction.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "mechanisms/competitive/arrow_debreu.hpp"
#include "mechanisms/competitive/auction_program.hpp"
#include "mechanisms/competitive/polish.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

// Fast first; the others start afresh where it stalls.
constexpr Attempt kAttempts[] = {{0.01, 0.6}, {0.1, 0.2}, {1.0, 0.01}, {1.0, 0.5}, {10.0, 1e-4}};
constexpr double kSharp = 1e-12;      // scaled money: the accuracy that polishing starts from
constexpr double kPricesMet = 1e-13;  // of the payoff range: prices on their limits
constexpr double kOpenTie = 1e-13;    // scaled money a choice of demand may cost

/// Polish what the program found, and choose of the optima what is published.
void publish_point(const Auction& auction, const std::vector<Staircase>& stairs,
                   AuctionProgram& program, MakerFunction& function, FaceRule face, bool kink,
                   SolvedAuction& solved) {
  solved.tied = tied_functions(auction, program, kink);
  AuctionPoint& point = solved.point;
  point = polish(auction, program, function, solved.tied);
  choose_demand(auction, stairs, solved.tied, face, function, kOpenTie, point);
  auction.judge(function, point);
  if (!point.unique) {
    solved.chosen = choose_prices(auction, solved.tied, function, point);
  }
}

}  // namespace

SolvedAuction solve_auction(const Auction& auction, const std::vector<Staircase>& stairs,
                            const ArrayView& prices, int max_iterations, FaceRule face,
                            MakerFunction& function) {
  SolvedAuction solved;
  if (std::optional<AuctionPoint> found = find_arrow_debreu(auction, solved.iterations)) {
    solved.point = *std::move(found);
    choose_demand(auction, stairs, {}, face, function, kOpenTie, solved.point);
    auction.judge(function, solved.point);
    return solved;
  }
  Arena arena;
  AuctionProgram program(auction.market, auction.maker, auction.ladders, arena);
  program.load(prices);
  const double tolerance = std::max(kSharp, kGapRounding * (1.0 + program.magnitude()));
  for (const Attempt& attempt : kAttempts) {
    int iterations = 0;
    run_predictor_corrector(program, tolerance, attempt, max_iterations, iterations, [] {});
    solved.iterations += iterations;
    if (program.gap() <= 100.0 * tolerance) {
      break;
    }
  }
  publish_point(auction, stairs, program, function, face, false, solved);
  // Near a kink the ambiguity price is of the size of rounding: the other side may be right.
  if (auction.market.kind == Ambiguity::kBall && solved.point.unique &&
      auction.maker.kind == MakerKind::kKnightian &&
      missed_by(auction, solved.point) > kPricesMet) {
    SolvedAuction other;
    other.iterations = solved.iterations;
    publish_point(auction, stairs, program, function, face, true, other);
    if (other.chosen && missed_by(auction, other.point) <= kPricesMet &&
        other.point.gap() <= std::max(solved.point.gap(), tolerance)) {
      return other;
    }
  }
  return solved;
}

}  // namespace kpm
